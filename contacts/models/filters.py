"""Filters that are kept under a name."""

from typing import Final

from django.db import models
from django.utils.timezone import now

from tenants.owned import TenantOwned

__all__ = ["FILTER_NAME_LENGTH", "ContactFilter"]

FILTER_NAME_LENGTH: Final = 80


class ContactFilter(TenantOwned):
    """A rule that chooses contacts anew each time it is asked; ``contacts.filters.rules`` says how it is written."""

    name = models.CharField(max_length=FILTER_NAME_LENGTH)
    rule = models.JSONField()
    created_by = models.ForeignKey(
        "tenants.User", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="contact_filter_name_once")]

    def __str__(self) -> str:
        return self.name
