"""What people agreed to and took back, keyed by (tenant, number): an opt-out outlives the contact."""

from django.db import models
from django.utils import timezone

from consent.models.entry_sql import LEAF_SQL
from consent.purposes import Purpose
from tenants.owned import TenantForeignKey, TenantOwned, TenantOwnedInBulk

__all__ = [
    "ALL_PURPOSES",
    "ConsentRecord",
    "ConsentState",
    "EndedPurpose",
    "HiddenNumberKey",
    "OptOutQuestion",
    "PossibleOptOut",
    "Suppression",
]

ALL_PURPOSES = "all"
"""The purpose of an opt-out that ends everything."""


class ConsentRecord(TenantOwnedInBulk):
    """One act of a person, or the taking back of a record that was an error: an entry of the consent ledger.

    Never changed, never deleted. Only what is about the person goes when they are erased (``consent.erasure``): number,
    wording, evidence and salt. The rest is the entry of the tenant's log (``consent.models.log``), which names nobody.
    Written by ``consent.appending`` alone.
    """

    class Act(models.TextChoices):
        OPT_IN = "opt_in", "Opted in"
        OPT_OUT = "opt_out", "Opted out"
        VOID = "void", "Taken back: recorded in error"
        """Strikes the record that ``evidence["voids"]`` names, as if it had never been."""

    class Source(models.TextChoices):
        WEB_FORM = "web_form", "Web form"
        PAPER = "paper", "Signed paper form"
        TEXT_TO_JOIN = "text_to_join", "Texted a keyword to join"
        REPLY = "reply", "Reply by text"
        CAME_BACK = "came_back", "Texted to get texts again"
        """What it renews was not in writing."""
        VERBAL = "verbal", "Said so to staff"
        EXISTING_CUSTOMER = "existing_customer", "Gave the number as a customer"
        INQUIRY = "inquiry", "Asked or applied for something"
        API = "api", "Sent by the business's own system"
        STAFF = "staff", "Recorded by staff"
        IMPORT = "import", "Said so in an imported file"
        PROVIDER = "provider", "Reported by the provider"
        PREFERENCES = "preferences", "Chosen on their own page"

    number = models.CharField(max_length=16)
    purpose = models.CharField(max_length=14, choices=[*Purpose.choices, (ALL_PURPOSES, "Everything")])
    act = models.CharField(max_length=8, choices=Act)
    source = models.CharField(max_length=20, choices=Source)
    wording = models.TextField(blank=True)
    """The words shown to the person, or the words they wrote."""
    evidence = models.JSONField(default=dict)
    """Pointers that prove the act: file and row, message id, page address, witness."""
    actor = models.ForeignKey("tenants.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    occurred_at = models.DateTimeField(default=timezone.now)
    recorded_at = models.DateTimeField(default=timezone.now)
    n = models.PositiveIntegerField()
    """The how-manieth of its number; no two writers get the same."""
    prev = models.BinaryField()
    """The leaf of the number's record before this one; empty for the first."""
    salt = models.BinaryField()
    """The same for all records of a number; without it ``subject`` and ``details`` say nothing of anybody."""
    subject = models.BinaryField()
    """The number as the log knows it: a salted commitment."""
    details = models.BinaryField()
    """The salted commitment to wording and evidence."""
    leaf = models.GeneratedField(
        expression=models.Func(template=LEAF_SQL, output_field=models.BinaryField()),
        output_field=models.BinaryField(),
        db_persist=True,
    )
    """The hash of the entry as a leaf of the log."""

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "number", "n"], name="consent_record_chain")]
        indexes = [
            # Agreements that are not in writing (``consent.agreements``).
            models.Index(
                fields=["tenant", "purpose"],
                condition=models.Q(act="opt_in", source__in=["verbal", "existing_customer", "inquiry"]),
                name="consent_record_weak",
            )
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.purpose}"


class ConsentState(TenantOwnedInBulk):
    """Where a number stands today for one purpose: a projection, rebuilt from the records at will."""

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "number", "purpose")
    number = models.CharField(max_length=16, db_collation="C")
    purpose = models.CharField(max_length=14, choices=Purpose)
    act = models.CharField(max_length=8, choices=ConsentRecord.Act)
    since = models.DateTimeField()
    record = TenantForeignKey(ConsentRecord, on_delete=models.PROTECT, related_name="+", enforced=False)

    class Meta(TenantOwnedInBulk.Meta):
        indexes = [
            # All but the many: who took back an agreement, and agreements to something else than offers.
            models.Index(
                fields=["tenant", "purpose", "act", "number"],
                condition=models.Q(act="opt_out") | ~models.Q(purpose="marketing"),
                name="consent_state_rarer",
            )
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.purpose}"


class PossibleOptOut(TenantOwned):
    """A text that may ask to stop (``classify(...).certain`` is False): offers wait until a person has decided."""

    number = models.CharField(max_length=16, db_collation="C")
    wording = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)
    raised_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"], condition=models.Q(settled_at=None), name="possible_opt_out_open_once"
            )
        ]

    def __str__(self) -> str:
        return "may have asked to stop"


class EndedPurpose(TenantOwned):
    """An agreement to one purpose was taken back, and what still waits for the number is to end. Deleted when it has
    (``messaging.pipeline.withdrawal``)."""

    number = models.CharField(max_length=16, db_collation="C")
    purpose = models.CharField(max_length=14, choices=Purpose)
    record = TenantForeignKey(ConsentRecord, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "id"], name="ended_purpose_to_follow")]

    def __str__(self) -> str:
        return f"no more {self.purpose}"


class OptOutQuestion(TenantOwned):
    """The confirmation of an opt-out asked whether one kind of text is to go on; silence means that none is."""

    number = models.CharField(max_length=16, db_collation="C")
    purpose = models.CharField(max_length=14, choices=Purpose)
    record = TenantForeignKey(ConsentRecord, on_delete=models.PROTECT, related_name="+")
    """The opt-out."""
    language = models.CharField(max_length=5, blank=True, default="")
    """In which it was asked."""
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "number", "id"], name="opt_out_question_number")]

    def __str__(self) -> str:
        return f"whether {self.purpose} goes on"


class HiddenNumberKey(TenantOwned):
    """The tenant's key of the hashes that stand for the numbers of erased people (``consent.erasure``)."""

    encrypted = models.BinaryField()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="hidden_number_key_once")]

    def __str__(self) -> str:
        return "key"


class Suppression(TenantOwned):
    """A number that must not be texted at all, and why. Lifting one keeps the row."""

    class Reason(models.TextChoices):
        OPTED_OUT = "opted_out", "Opted out"
        PROVIDER_BLOCK = "provider_block", "The provider reports an opt-out"
        WRONG_NUMBER = "wrong_number", "Somebody else has this number"

    number = models.CharField(max_length=16, db_collation="C")
    reason = models.CharField(max_length=16, choices=Reason)
    record = TenantForeignKey(ConsentRecord, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True)
    followed_at = models.DateTimeField(null=True)
    """When what still waited for the number had been ended (``messaging.pipeline.withdrawal``)."""

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"], condition=models.Q(lifted_at=None), name="suppression_active_once"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "id"], condition=models.Q(followed_at=None), name="suppression_to_follow")
        ]

    def __str__(self) -> str:
        return self.reason
