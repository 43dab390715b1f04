"""Files of contacts, and what became of each of their rows."""

import json
from datetime import timedelta
from typing import Final

from django.db import models
from django.utils.timezone import now

from consent.models import ConsentRecord
from consent.purposes import Purpose
from contacts.importing.dates import how_dates_are_read
from contacts.models.contact import NAME_LENGTH
from contacts.models.lists import ContactList, Tag
from tenants.owned import TenantForeignKey, TenantOwned, TenantOwnedInBulk

__all__ = ["ContactImport", "ImportColumns", "ImportFilePart", "ImportRange", "ImportRow"]

UNDO_WITHIN: Final = timedelta(days=7)


class ContactImport(TenantOwned):
    """One uploaded file on its way to contacts.

    uploaded -> checking -> checked -> importing -> done -> undoing -> undone, or failed. Checking reads the file and
    foretells what each row will become; importing does it. Each of the three works goes over the rows in ranges
    (``ImportRange``), so that a worker that takes over goes on with what is not done.
    """

    class Status(models.TextChoices):
        UPLOADED = "uploaded", "Waiting for your choices"
        CHECKING = "checking", "Checking"
        CHECKED = "checked", "Checked, waiting for your yes"
        IMPORTING = "importing", "Importing"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNDOING = "undoing", "Undoing"
        UNDONE = "undone", "Undone"

    WORKING = (Status.CHECKING, Status.IMPORTING, Status.UNDOING)
    """A worker is on it, or should be."""
    IMPORTED = (Status.IMPORTING, Status.DONE, Status.UNDOING, Status.UNDONE)
    """Some of its rows have become contacts."""

    class Basis(models.TextChoices):
        """How the people in the file agreed to be texted."""

        WEB_FORM = ConsentRecord.Source.WEB_FORM.value, "They ticked a box on a web form"
        PAPER = ConsentRecord.Source.PAPER.value, "They signed a paper form"
        TEXT_TO_JOIN = ConsentRecord.Source.TEXT_TO_JOIN.value, "They texted a keyword to join"
        VERBAL = ConsentRecord.Source.VERBAL.value, "They said so to our staff (not for offers)"
        EXISTING_CUSTOMER = (
            ConsentRecord.Source.EXISTING_CUSTOMER.value,
            "They gave us the number as customers (not for offers)",
        )
        NONE = "none", "No documented agreement: keep them as contacts, do not text them"

    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    """Of the file as it was uploaded."""
    encoding = models.CharField(max_length=10, default="utf-8")
    """How the stored parts are decoded."""
    sheet = models.CharField(max_length=100, blank=True)
    """Which sheet of a workbook was read."""
    header = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=Status, default=Status.UPLOADED)
    columns = models.JSONField(default=list)
    """One entry per column of the file: the field it fills, or an empty string."""
    columns_remembered = models.BooleanField(default=False)
    """The columns were proposed as they were chosen for such a file before."""
    basis = models.CharField(max_length=20, choices=Basis, blank=True)
    purposes = models.JSONField(default=list)
    consent_note = models.TextField(blank=True)
    """The wording the people agreed to, or where the proof is kept."""
    contact_list = TenantForeignKey(ContactList, on_delete=models.PROTECT, null=True, related_name="+")
    tag = TenantForeignKey(Tag, on_delete=models.PROTECT, null=True, related_name="+")
    corrects = TenantForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    """The import whose rejected rows this file holds, corrected."""
    created_by = models.ForeignKey(
        "tenants.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    without_asking = models.BooleanField(default=False)
    """The import follows the check by itself."""
    rows_total = models.PositiveIntegerField(default=0)
    """An estimate from the lines of the file until it has been checked."""
    last_row = models.PositiveIntegerField(default=0)
    """The number of the last row; known when the file has been checked."""
    rows_done = models.PositiveIntegerField(default=0)
    """Rows that the work going on now is done with."""
    rows_before = models.PositiveIntegerField(default=0)
    work_began_at = models.DateTimeField(null=True)
    """``rows_before`` were done when the present worker began: from both comes the rate."""
    counts = models.JSONField(default=dict)
    """Rows by outcome: foretold by the check, then as they came."""
    warnings = models.JSONField(default=list)
    """Signs of a purchased list that the check found."""
    review_asked_at = models.DateTimeField(null=True)
    """Since when a file with such signs waits for the platform's admins."""
    released_at = models.DateTimeField(null=True)
    """When one of them let it be imported."""
    review_refusal = models.TextField(blank=True)
    """Why they did not."""
    problem = models.TextField(blank=True)
    leased_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    """How often a worker has begun since the import last got on."""
    created_at = models.DateTimeField(default=now, editable=False)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    rows_deleted_at = models.DateTimeField(null=True)
    """When its file and rows were deleted, because they had been kept long enough."""

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "-created_at"], name="contact_import_newest")]

    def __str__(self) -> str:
        return self.file_name

    def evidence(self, row: int) -> dict[str, object]:
        """What a consent record points to as its proof: the file and the row."""
        return {"import": str(self.id), "file": self.file_name, "sha256": self.sha256, "row": row}

    def evidence_json(self) -> str:
        """The same for all rows, as JSON; the row is added to it."""
        return json.dumps({"import": str(self.id), "file": self.file_name, "sha256": self.sha256})

    @property
    def is_free(self) -> bool:
        """Whether its work waits for a worker."""
        return self.leased_until is None

    @property
    def needs_review(self) -> bool:
        """Whether one of the platform's admins must let it be imported: in trial, with signs of a bought list."""
        return bool(self.warnings) and self.tenant.in_trial and self.released_at is None

    @property
    def waits_for_review(self) -> bool:
        """Whether that was asked for and not decided yet."""
        return self.needs_review and self.review_asked_at is not None

    @property
    def rows_can_be_read(self) -> bool:
        """Whether each row has its outcome, foretold or real."""
        return self.last_row > 0 and self.status != self.Status.CHECKING and self.rows_deleted_at is None

    @property
    def people(self) -> int:
        """How many people the rows are about."""
        return sum(self.counts.get(name, 0) for name in ("created", "updated", "unchanged"))

    @property
    def seconds_left(self) -> int | None:
        """How much longer the work takes at the rate of the present worker; None while that cannot be told."""
        rate = self.rows_per_second
        return round((self.rows_total - self.rows_done) / rate) if rate else None

    @property
    def rows_per_second(self) -> int | None:
        """How fast the present worker is; None while that cannot be told."""
        done = self.rows_done - self.rows_before
        if self.work_began_at is None or done <= 0:
            return None
        return round(done / max(0.1, (now() - self.work_began_at).total_seconds())) or 1

    @property
    def undo_until(self) -> object:
        """Until when it can be undone; None when it cannot."""
        if self.status != self.Status.DONE or self.finished_at is None or self.rows_deleted_at:
            return None
        until = self.finished_at + UNDO_WITHIN
        return until if until > now() else None

    @property
    def how_dates_are_read(self) -> str:
        """One sentence about dates in the file whose order is not clear."""
        return how_dates_are_read(self.tenant.country)

    def may_prove(self, purpose: str) -> bool:
        """Whether the basis is enough for the purpose: offers need agreement in writing (47 CFR 64.1200(a)(2))."""
        if self.basis == self.Basis.NONE:
            return False
        spoken = (self.Basis.VERBAL, self.Basis.EXISTING_CUSTOMER)
        return purpose != Purpose.MARKETING or self.basis not in spoken


class ImportFilePart(TenantOwned):
    """A piece of an uploaded file. A workbook is stored as the CSV text of the sheet that was read."""

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "contact_import_id", "position")
    contact_import = TenantForeignKey(ContactImport, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.contact_import_id} part {self.position}"


class ImportRange(TenantOwned):
    """Rows that one of the works on an import is done with: written in the transaction that did it, so each range is
    done once, whoever died or took over."""

    class Work(models.TextChoices):
        CHECK = "check"
        IMPORT = "import"
        UNDO = "undo"

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "contact_import_id", "work", "first_row")
    contact_import = TenantForeignKey(ContactImport, on_delete=models.CASCADE, related_name="+")
    work = models.CharField(max_length=6, choices=Work)
    first_row = models.PositiveIntegerField()
    last_row = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.work} {self.first_row}-{self.last_row}"


class ImportRow(TenantOwnedInBulk):
    """One row of a file: what was read from it, and what becomes of it.

    Millions are written at a time, by the import itself and nobody else. So its foreign keys are not enforced: each
    would be looked up for each row, which takes longer than writing it.
    """

    class Outcome(models.TextChoices):
        CREATED = "created", "New contact"
        UPDATED = "updated", "Contact changed"
        UNCHANGED = "unchanged", "Nothing new"
        MERGED = "merged", "Same number as an earlier row"
        REJECTED = "rejected", "Rejected"

    class Said(models.TextChoices):
        """What the row's own columns say about agreement; empty without such a column."""

        YES = "yes"
        NO = "no"
        STOP = "stop"

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "contact_import_id", "row_number")
    contact_import = TenantForeignKey(ContactImport, on_delete=models.CASCADE, related_name="+", enforced=False)
    row_number = models.PositiveIntegerField()
    """As a spreadsheet counts: the header is row 1."""
    outcome = models.CharField(max_length=10, choices=Outcome)
    note = models.CharField(max_length=20, blank=True)
    """Set for a row that is no problem but worth knowing: "opted_out", "no_consent", "agreed_earlier", "consent_ended"."""
    number = models.CharField(max_length=16, blank=True)
    preferred = models.CharField(max_length=16, null=True)
    """The person's preferred number, where the row has a further one of theirs."""
    contact_id = models.UUIDField(null=True)
    first_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    last_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    first_key = models.CharField(max_length=NAME_LENGTH, null=True)
    last_key = models.CharField(max_length=NAME_LENGTH, null=True)
    """The folded names, where these are more than their lower case."""
    email = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=10, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    fields = models.JSONField(default=dict)
    said = models.CharField(max_length=4, choices=Said, blank=True)
    is_repeated = models.BooleanField(default=False)
    """An earlier row has the same number and speaks for this one."""
    agreed_at = models.DateTimeField(null=True)
    keys = models.JSONField(null=True)
    """Of ``fields``: the keys by which the index of values finds them."""
    evidence = models.JSONField(null=True)
    """What the row itself tells as proof: the words in a consent column, an address, a page."""
    problem = models.TextField(blank=True)
    cells = models.JSONField(null=True)
    """The row as it stood in the file; kept for rejected rows only."""
    before = models.JSONField(null=True)
    """What the contact had where the import changed it."""
    undone = models.CharField(max_length=10, blank=True)
    """What undoing did with the row: "removed", "restored", "kept"."""

    class Meta(TenantOwnedInBulk.Meta):
        indexes = [
            models.Index(fields=["tenant", "contact_id"], name="import_row_contact"),
            models.Index(
                fields=["tenant", "contact_import", "outcome", "row_number"],
                name="import_row_outcome",
                condition=models.Q(outcome__in=["merged", "rejected"]),
            ),
            models.Index(
                fields=["tenant", "contact_import", "note", "row_number"],
                name="import_row_note",
                condition=models.Q(note__in=["opted_out", "agreed_earlier", "consent_ended"]),
            ),
        ]

    def __str__(self) -> str:
        return f"row {self.row_number}: {self.outcome}"

    @property
    def full_name(self) -> str:
        """First and last name as the row has them."""
        return f"{self.first_name} {self.last_name}".strip()


class ImportColumns(TenantOwned):
    """How the columns of a kind of file were chosen the last time, to be proposed the next time."""

    signature = models.CharField(max_length=64)
    """SHA-256 of the header, in whatever letter case."""
    columns = models.JSONField()
    chosen_at = models.DateTimeField(default=now)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "signature"], name="import_columns_once")]

    def __str__(self) -> str:
        return self.signature
