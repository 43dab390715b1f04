"""Files of contacts, and what became of each of their rows."""

from django.db import models
from django.utils.timezone import now

from consent.models import ConsentRecord
from consent.purposes import Purpose
from contacts.importing.dates import how_dates_are_read
from contacts.models.contact import Contact
from contacts.models.lists import ContactList, Tag
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["ContactImport", "ImportFile", "ImportRow"]


class ContactImport(TenantOwned):
    """One uploaded file on its way to contacts.

    uploaded -> queued -> running -> done | failed; ``rows_done`` is the checkpoint at which a worker that takes
    over goes on.
    """

    class Status(models.TextChoices):
        UPLOADED = "uploaded", "Waiting for your choices"
        QUEUED = "queued", "Waiting to start"
        RUNNING = "running", "Importing"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

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
    status = models.CharField(max_length=10, choices=Status, default=Status.UPLOADED)
    columns = models.JSONField(default=list)
    """One entry per column of the file: the field it fills, or an empty string."""
    basis = models.CharField(max_length=20, choices=Basis, blank=True)
    purposes = models.JSONField(default=list)
    consent_note = models.TextField(blank=True)
    """The wording the people agreed to, or where the proof is kept."""
    contact_list = TenantForeignKey(ContactList, on_delete=models.PROTECT, null=True, related_name="+")
    tag = TenantForeignKey(Tag, on_delete=models.PROTECT, null=True, related_name="+")
    created_by = models.ForeignKey(
        "tenants.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    """Rows by outcome."""
    problem = models.TextField(blank=True)
    leased_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    """How often a worker has begun since the import last got on."""
    created_at = models.DateTimeField(default=now, editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "-created_at"], name="contact_import_newest")]

    def __str__(self) -> str:
        return self.file_name

    def evidence(self, row: int) -> dict[str, object]:
        """What a consent record points to as its proof: the file and the row."""
        return {"import": str(self.id), "file": self.file_name, "sha256": self.sha256, "row": row}

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


class ImportFile(TenantOwned):
    """The bytes of an upload, apart from its row so that lists never load them."""

    contact_import = TenantForeignKey(ContactImport, on_delete=models.CASCADE, related_name="+")
    content = models.BinaryField()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "contact_import"], name="import_file_once")]

    def __str__(self) -> str:
        return str(self.contact_import_id)


class ImportRow(TenantOwned):
    """What became of one row of a file."""

    class Outcome(models.TextChoices):
        CREATED = "created", "New contact"
        UPDATED = "updated", "Contact changed"
        UNCHANGED = "unchanged", "Nothing new"
        MERGED = "merged", "Same number as an earlier row"
        REJECTED = "rejected", "Rejected"

    contact_import = TenantForeignKey(ContactImport, on_delete=models.CASCADE, related_name="+")
    row_number = models.PositiveIntegerField()
    """As a spreadsheet counts: the header is row 1."""
    outcome = models.CharField(max_length=10, choices=Outcome)
    number = models.CharField(max_length=16, blank=True)
    contact = TenantForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    problem = models.TextField(blank=True)
    note = models.CharField(max_length=20, blank=True)
    """Set for a row that is no problem but worth knowing: "opted_out", "no_consent", "agreed_earlier"."""
    cells = models.JSONField(null=True)
    """The row as it stood in the file; kept for rejected rows only."""

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "contact_import", "row_number"], name="import_row_once")
        ]
        indexes = [
            models.Index(fields=["tenant", "contact_import", "outcome", "row_number"], name="import_row_outcome"),
            models.Index(fields=["tenant", "contact_import", "number"], name="import_row_number"),
        ]

    def __str__(self) -> str:
        return f"row {self.row_number}: {self.outcome}"
