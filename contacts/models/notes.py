"""What staff write about a person, and the small things they did with them."""

from typing import Final

from django.db import models
from django.utils.timezone import now

from contacts.models.contact import Contact
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["NOTE_LENGTH", "ContactChange", "ContactNote"]

NOTE_LENGTH: Final = 4000


class ContactNote(TenantOwned):
    """A note on a contact; whoever wrote it may change it."""

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey("tenants.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    body = models.TextField(max_length=NOTE_LENGTH)
    created_at = models.DateTimeField(default=now, editable=False)
    edited_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "contact", "created_at"], name="contact_note_newest")]

    def __str__(self) -> str:
        return f"note on {self.contact_id}"


class ContactChange(TenantOwned):
    """One thing that was done with a contact by itself, for its timeline. Bulk actions are told by their job's rows."""

    class Kind(models.TextChoices):
        TAGGED = "tagged", "Tag added"
        UNTAGGED = "untagged", "Tag removed"
        LISTED = "listed", "Put into a list"
        UNLISTED = "unlisted", "Taken out of a list"
        ARCHIVED = "archived", "Archived"
        UNARCHIVED = "unarchived", "Taken out of the archive"
        MERGED = "merged", "Merged with another contact"

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=80, blank=True)
    """What the tag or the list was called then."""
    actor = models.ForeignKey("tenants.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=now, editable=False)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "contact", "at"], name="contact_change_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.contact_id}"
