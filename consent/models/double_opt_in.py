"""Double opt-in: an agreement to offers that counts when the person has answered YES to a text, from this very number."""

from typing import Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from consent.models.records import ConsentRecord
from tenants.owned import TenantForeignKey, TenantOwned, TenantOwnedInBulk

__all__ = ["DoubleOptIn", "PendingOptIn"]


class DoubleOptIn(TenantOwned):
    """Which agreements to offers a tenant wants to have confirmed. Without a row: none."""

    class Door(models.TextChoices):
        """How an agreement came in: the sources of records that people can be asked about, and files."""

        IMPORT = ConsentRecord.Source.IMPORT.value, "An imported file"
        API = ConsentRecord.Source.API.value, "Your own system (API)"
        WEB_FORM = ConsentRecord.Source.WEB_FORM.value, "A web form"
        TEXT_TO_JOIN = ConsentRecord.Source.TEXT_TO_JOIN.value, "A text with a keyword to join"

    USUAL_DAYS: Final = 7

    doors = models.JSONField(default=list, blank=True)
    days = models.PositiveSmallIntegerField(
        default=USUAL_DAYS, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )
    """So long after the question a YES confirms it."""
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="double_opt_in_once")]

    def __str__(self) -> str:
        return "double opt-in"


class PendingOptIn(TenantOwnedInBulk):
    """An agreement to offers that waits for its YES: open until it comes, and no offers go before. Silence and START
    leave it open; another agreement takes its place."""

    number = models.CharField(max_length=16, db_collation="C")
    record = TenantForeignKey(ConsentRecord, on_delete=models.PROTECT, related_name="+", enforced=False)
    since = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(null=True)
    """When the one text that asks for the YES was written; null: not yet."""
    confirmed_at = models.DateTimeField(null=True)

    class Meta(TenantOwnedInBulk.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"], condition=models.Q(confirmed_at=None), name="pending_opt_in_open_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "id"],
                condition=models.Q(confirmed_at=None, asked_at=None),
                name="pending_opt_in_to_ask",
            ),
            models.Index(fields=["tenant", "number"], name="pending_opt_in_number"),
        ]

    def __str__(self) -> str:
        return "waits for a YES"
