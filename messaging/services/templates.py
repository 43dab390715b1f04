"""Texts kept for reuse."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from messaging.models import MessageTemplate

__all__ = ["save_template"]


def save_template(*, template: MessageTemplate) -> MessageTemplate:
    """Create or change a template; raises ``ValidationError``."""
    template.name = template.name.strip()
    template.full_clean(exclude=["tenant"])
    if MessageTemplate.objects.filter(name__iexact=template.name).exclude(id=template.id).exists():
        raise ValidationError({"name": "There is a template with this name already."})
    template.updated_at = timezone.now()
    template.save()
    return template
