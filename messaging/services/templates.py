"""Texts kept for reuse."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from common.unique import AlreadyThere, unique
from messaging.models import MessageTemplate
from tenants.audit import record

__all__ = ["delete_template", "save_template"]


def save_template(*, template: MessageTemplate) -> MessageTemplate:
    """Create or change a template; raises ``ValidationError``."""
    template.name = template.name.strip()
    template.full_clean(exclude=["tenant"])
    taken = ValidationError({"name": "There is a template with this name already."})
    if MessageTemplate.objects.filter(name__iexact=template.name).exclude(id=template.id).exists():
        raise taken
    known = MessageTemplate.objects.filter(id=template.id).first()
    template.updated_at = timezone.now()
    try:
        with unique():
            template.save()
    except AlreadyThere:
        raise taken from None
    _record(known, template)
    return template


def delete_template(*, template: MessageTemplate) -> None:
    """Delete a kept text; what was sent with it stays as it was."""
    record("template.deleted", target=template)
    template.delete()


def _record(known: MessageTemplate | None, template: MessageTemplate) -> None:
    if known is None:
        record("template.created", target=template, after={"purpose": template.purpose})
        return
    record(
        "template.changed",
        target=template,
        before={"name": known.name, "purpose": known.purpose},
        after={
            "name": template.name,
            "purpose": template.purpose,
            **({"text": "new"} if known.body != template.body else {}),
        },
    )
