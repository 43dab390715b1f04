"""Contacts that may be the same person."""

from django.db import models
from django.utils.timezone import now

from contacts.models.contact import Contact
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["DuplicatePair", "DuplicateSearch"]


class DuplicatePair(TenantOwned):
    """Two contacts that have something in common; ``one`` has the smaller id. A dismissed pair is never offered again."""

    class Why(models.TextChoices):
        EMAIL = "email", "Same e-mail"
        NAME = "name", "Same name, and one more value in common"

    one = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    other = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    why = models.CharField(max_length=8, choices=Why)
    found_at = models.DateTimeField(default=now, editable=False)
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by = models.ForeignKey(
        "tenants.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "one", "other"], name="duplicate_pair_once"),
            models.CheckConstraint(condition=models.Q(one__lt=models.F("other")), name="duplicate_pair_in_order"),
        ]
        indexes = [
            models.Index(fields=["tenant", "id"], condition=models.Q(dismissed_at=None), name="duplicate_pair_open"),
            models.Index(fields=["tenant", "other"], name="duplicate_pair_other"),
        ]

    def __str__(self) -> str:
        return f"{self.one_id} and {self.other_id}"


class DuplicateSearch(TenantOwned):
    """One search for duplicates among all contacts: queued until a worker has done it, in one transaction."""

    created_by = models.ForeignKey(
        "tenants.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=now, editable=False)
    finished_at = models.DateTimeField(null=True)
    found = models.PositiveIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(finished_at=None), name="duplicate_search_one_at_a_time"
            )
        ]
        indexes = [models.Index(fields=["tenant", "-created_at"], name="duplicate_search_newest")]

    def __str__(self) -> str:
        return f"search of {self.created_at:%Y-%m-%d}"
