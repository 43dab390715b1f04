"""Who carries messages: accounts at providers, and the numbers they come from."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from common.encryption import decrypt, encrypt
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["SLOWEST", "USUAL_WEIGHT", "ProviderAccount", "Sender", "SenderDay", "SenderPool"]


SLOWEST: Final = Decimal("0.01")
"""Parts a second; what is to send nothing is paused."""
USUAL_WEIGHT: Final = 50


class Pausable(TenantOwned):
    """What carries texts, and can be paused: by a person, or when the provider refuses it (``pipeline.trouble``)."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"

    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    trouble = models.CharField(max_length=24, blank=True, editable=False)
    """The provider's error code for which it was paused; empty when a person paused it."""
    taken_up_at = models.DateTimeField(default=timezone.now, editable=False)
    """What the provider says of earlier texts does not pause it again."""

    class Meta(TenantOwned.Meta):
        abstract = True

    @property
    def is_refused(self) -> bool:
        """Whether it is paused because the provider refuses it."""
        return self.status == self.Status.PAUSED and bool(self.trouble)

    def decide(self, *, active: bool) -> None:
        """A person pauses it or takes it up again; what the provider has said so far is settled by that."""
        self.status = self.Status.ACTIVE if active else self.Status.PAUSED
        self.trouble = ""
        self.taken_up_at = timezone.now()


class ProviderAccount(Pausable):
    """An account at a provider, with its credentials encrypted at rest."""

    class Kind(models.TextChoices):
        TWILIO = "twilio", "Twilio"
        TELNYX = "telnyx", "Telnyx"
        SIMULATOR = "simulator", "Simulated phone network"

    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=80)
    encrypted_credentials = models.BinaryField(editable=False)
    account_reference = models.CharField(max_length=64, blank=True)
    """Its public id at the provider (Twilio: AccountSid; Telnyx: messaging profile, if any); callbacks must name it."""
    max_in_flight = models.PositiveIntegerField(default=256)
    """Requests under way at once, per worker process."""
    parts_per_second = models.DecimalField(
        max_digits=8, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(SLOWEST)]
    )
    """All senders of the account together; null: no limit of its own."""
    answers_keywords = models.BooleanField(default=False)
    """The provider itself answers STOP and HELP, so the platform must not answer a second time."""
    weight = models.PositiveSmallIntegerField(
        default=USUAL_WEIGHT, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    """Its share of the people of a pool, beside the other accounts' weights, while all is well."""
    fallen_by = models.PositiveSmallIntegerField(default=0, editable=False)
    """What errors took off its weight at ``fell_at``; it drifts back (``messaging.routing.weights``)."""
    fell_at = models.DateTimeField(null=True, editable=False)
    broken_since = models.DateTimeField(null=True, editable=False)
    """Its breaker is open since then (``messaging.routing.breaker``); null: closed."""
    probe_at = models.DateTimeField(null=True, editable=False)
    """When the next few texts try whether it works again."""
    probes = models.PositiveSmallIntegerField(default=0, editable=False)
    """How often that was tried since it broke."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(Pausable.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="provider_account_name_once"),
            models.CheckConstraint(condition=models.Q(parts_per_second__gt=0), name="provider_account_pace"),
            models.CheckConstraint(condition=models.Q(weight__gte=1, weight__lte=100), name="provider_account_weight"),
        ]

    def __str__(self) -> str:
        return self.name

    def decide(self, *, active: bool) -> None:
        super().decide(active=active)
        self.broken_since, self.probe_at, self.probes = None, None, 0

    @property
    def credentials(self) -> dict[str, Any]:
        """The secrets, decrypted."""
        secrets: dict[str, Any] = json.loads(decrypt(bytes(self.encrypted_credentials)))
        return secrets

    @credentials.setter
    def credentials(self, secrets: dict[str, Any]) -> None:
        self.encrypted_credentials = encrypt(json.dumps(secrets))


class SenderPool(TenantOwned):
    """Senders that stand in for each other, perhaps of several accounts: for each person one of them is chosen."""

    name = models.CharField(max_length=60)
    is_default = models.BooleanField(default=False)
    """Texts that name neither a sender nor a pool come from it."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="sender_pool_name_once"),
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(is_default=True), name="sender_pool_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Sender(Pausable):
    """A number (or a name) that messages come from."""

    class Kind(models.TextChoices):
        LONG_CODE = "long_code", "Local number"
        TOLL_FREE = "toll_free", "Toll-free number"
        SHORT_CODE = "short_code", "Short code"
        SERVICE = "service", "Messaging service"
        NAME = "name", "Name (nobody can answer)"

    provider_account = TenantForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    pool = TenantForeignKey(SenderPool, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    value = models.CharField("number", max_length=34)
    """E.164, the digits of a short code, the SID of a messaging service, or a name."""
    label = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.LONG_CODE)
    country = models.CharField(max_length=2, default="US")
    parts_per_second = models.DecimalField(
        max_digits=8, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(SLOWEST)]
    )
    """Null: what its kind may do by default (``messaging.pace``)."""
    parts_per_day = models.PositiveIntegerField(null=True, blank=True)
    """T-Mobile's cap of the brand, which begins anew at midnight Pacific time; null: none."""
    held_until = models.DateTimeField(null=True, editable=False)
    """The provider said that its day is full: nothing is offered before this time."""
    held_because = models.CharField(max_length=24, blank=True, editable=False)
    """The error code that said so."""
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(Pausable.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "provider_account", "value"], name="sender_once"),
            models.UniqueConstraint(fields=["tenant"], condition=models.Q(is_default=True), name="sender_one_default"),
            models.CheckConstraint(condition=models.Q(parts_per_second__gt=0), name="sender_pace"),
        ]

    @property
    def is_one_way(self) -> bool:
        """Nobody can answer what it sends, so STOP cannot be the way out."""
        return self.kind == self.Kind.NAME

    def __str__(self) -> str:
        return self.label or self.value

    @property
    def is_held(self) -> bool:
        """Whether its day is full: for pages; what is handed over goes by the database's clock."""
        return self.is_held_at(timezone.now())

    def is_held_at(self, now: datetime) -> bool:
        """Whether its day is full then."""
        return self.held_until is not None and self.held_until > now

    def decide(self, *, active: bool) -> None:
        super().decide(active=active)
        self.held_until, self.held_because = None, ""


class SenderDay(TenantOwned):
    """The parts that a paced sender has handed over on a day of the carriers' calendar (``messaging.pace.days``)."""

    sender = TenantForeignKey(Sender, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    part_count = models.PositiveIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "sender", "day"], name="sender_day_once")]

    def __str__(self) -> str:
        return f"{self.part_count} parts on {self.day}"
