"""Work on thousands of contacts: what is to be done, with whom, and what became of each of them."""

from typing import Final

from django.db import models
from django.utils.timezone import now

from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["ContactJob", "ContactJobRow", "ExportPiece"]


class ContactJob(TenantOwned):
    """One bulk action. queued -> running -> done | failed | cancelled.

    The first step writes its people down (``frozen_at``); ``reached`` is the checkpoint at which a worker that takes
    over goes on: the people are worked on in the order of their ids, each exactly once.
    """

    class Kind(models.TextChoices):
        ADD_TAG = "add_tag", "Add a tag"
        REMOVE_TAG = "remove_tag", "Remove a tag"
        ADD_TO_LIST = "add_to_list", "Put into a list"
        REMOVE_FROM_LIST = "remove_from_list", "Take out of a list"
        SET_FIELD = "set_field", "Set a field"
        ARCHIVE = "archive", "Archive"
        UNARCHIVE = "unarchive", "Take out of the archive"
        OPT_OUT = "opt_out", "Record an opt-out"
        ERASE = "erase", "Erase for good"
        EXPORT = "export", "Export"

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting to start"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN: Final = (Status.QUEUED, Status.RUNNING)

    kind = models.CharField(max_length=20, choices=Kind)
    about = models.CharField(max_length=200, blank=True)
    """What it is done with, in words: the name of the tag, the list or the field."""
    parameters = models.JSONField(default=dict)
    query = models.JSONField(null=True)
    """The filters of the list when everybody they show is meant; forgotten once these are written down."""
    expected = models.PositiveIntegerField(null=True)
    """How many people somebody confirmed by typing it: no others are touched."""
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    """People by outcome."""
    reached = models.UUIDField(null=True)
    problem = models.TextField(blank=True)
    leased_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    """How often a worker has begun since the job last got on."""
    created_by = models.ForeignKey(
        "tenants.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=now, editable=False)
    frozen_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="contact_job_newest"),
            models.Index(
                fields=["created_at"], condition=models.Q(status__in=["queued", "running"]), name="contact_job_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.about}" if self.about else self.get_kind_display()

    def outcomes(self) -> dict[str, str]:
        """What can become of a person, in words."""
        changed = {self.Kind.EXPORT.value: "Exported", self.Kind.ERASE.value: "Erased"}.get(self.kind, "Changed")
        return {**dict(ContactJobRow.Outcome.choices), ContactJobRow.Outcome.CHANGED.value: changed}

    @property
    def per_second(self) -> float:
        """How many people a second it went through."""
        if self.frozen_at is None:
            return 0.0
        seconds = ((self.finished_at or now()) - self.frozen_at).total_seconds()
        return self.rows_done / seconds if seconds > 0 else 0.0


class ExportPiece(TenantOwned):
    """A piece of an exported file, in the order of ``position``; at 0 or below is the first."""

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "job_id", "position")
    job = TenantForeignKey(ContactJob, on_delete=models.CASCADE, related_name="+")
    position = models.IntegerField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.job_id} piece {self.position}"


class ContactJobRow(TenantOwned):
    """What became of one person in a job. ``contact_id`` may name nobody: unknown ids are reported, too."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CHANGED = "changed", "Changed"
        UNCHANGED = "unchanged", "Nothing to change"
        NOT_FOUND = "not_found", "Not found"

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "job_id", "contact_id")
    job = TenantForeignKey(ContactJob, on_delete=models.CASCADE, related_name="+")
    contact_id = models.UUIDField()
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.WAITING)

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(fields=["tenant", "job", "outcome", "contact_id"], name="contact_job_row_outcome"),
            models.Index(fields=["tenant", "contact_id"], name="contact_job_row_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id}: {self.outcome}"
