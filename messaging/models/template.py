"""Texts kept for reuse."""

from django.db import models
from django.utils import timezone

from consent.purposes import Purpose
from tenants.owned import TenantOwned

__all__ = ["MessageTemplate"]


class MessageTemplate(TenantOwned):
    """A text with merge tags, for one purpose."""

    name = models.CharField(max_length=80)
    purpose = models.CharField(max_length=14, choices=Purpose, default=Purpose.MARKETING)
    body = models.TextField("text", max_length=1600)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="template_name_once")]

    def __str__(self) -> str:
        return self.name
