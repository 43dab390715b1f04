"""What is known about numbers themselves: that one cannot get texts, or that somebody else has it now."""

from typing import Final

from django.db import models
from django.utils import timezone

from tenants.owned import TenantOwned

__all__ = ["ChangedNumber", "NumberMark"]


class NumberMark(TenantOwned):
    """A number that cannot get texts, as a provider said of one: no more of them are paid for.

    A hint (``holds_since`` is null) only counts how often it was said; in force it keeps texts back; cleared, it is
    history. Nothing about consent or an opt-out changes with it.
    """

    class Kind(models.TextChoices):
        INVALID = "invalid", "There is no such number"
        NO_TEXTS = "no_texts", "It is a landline, or gets no texts"
        GONE = "gone", "It is out of service"
        BLOCKED = "blocked", "The carrier blocks texts to it"

    class Ended(models.TextChoices):
        STAFF = "staff", "Tried again by staff"
        WROTE = "wrote", "They wrote"
        DELIVERED = "delivered", "A text arrived"

    AFTER_REPEATS: Final = (Kind.GONE,)
    """What carriers also say of phones that come back: it holds when a later text gets the same answer."""

    number = models.CharField(max_length=16, db_collation="C")
    kind = models.CharField(max_length=8, choices=Kind)
    code = models.CharField(max_length=24)
    """The provider's error code that said so last."""
    message_id = models.UUIDField()
    """The message that it was said of; consent is below messaging, so this is no foreign key."""
    first_at = models.DateTimeField()
    """When the first text that it was said of was handed over."""
    holds_since = models.DateTimeField(null=True)
    cleared_at = models.DateTimeField(null=True)
    cleared_by = models.CharField(max_length=9, choices=Ended, blank=True)
    texts_spared = models.PositiveIntegerField(default=0)
    parts_spared = models.PositiveIntegerField(default=0)
    """What was kept back because of it, and so not paid for."""

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"], condition=models.Q(cleared_at=None), name="number_mark_open_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "id"],
                condition=models.Q(cleared_at=None, holds_since__isnull=False),
                name="number_mark_in_force",
            ),
            models.Index(
                fields=["tenant", "parts_spared"],
                condition=models.Q(parts_spared__gt=0),
                name="number_mark_spared",
            ),
            models.Index(fields=["tenant", "number"], name="number_mark_number"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class ChangedNumber(TenantOwned):
    """A number that was deactivated or given to somebody else: consent from before then is not this person's."""

    class Source(models.TextChoices):
        LIST = "list", "A list that was uploaded"
        PROVIDER = "provider", "The provider"

    number = models.CharField(max_length=16, db_collation="C")
    day = models.DateField()
    """As the list says it, or as it was when the provider first said so."""
    counts_from = models.DateTimeField()
    """Consent counts from this moment on: the day's beginning on the tenant's clock."""
    source = models.CharField(max_length=8, choices=Source)
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="changed_number_once")]

    def __str__(self) -> str:
        return f"changed hands on {self.day}"
