"""Texts kept for reuse."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from common.unique import AlreadyThere, unique
from messaging.models import MessageTemplate

__all__ = ["save_template"]


def save_template(*, template: MessageTemplate) -> MessageTemplate:
    """Create or change a template; raises ``ValidationError``."""
    template.name = template.name.strip()
    template.full_clean(exclude=["tenant"])
    taken = ValidationError({"name": "There is a template with this name already."})
    if MessageTemplate.objects.filter(name__iexact=template.name).exclude(id=template.id).exists():
        raise taken
    template.updated_at = timezone.now()
    try:
        with unique():
            template.save()
    except AlreadyThere:
        raise taken from None
    return template
