"""Further numbers of a person; the preferred one is the contact's own."""

from typing import Final

from django.db import models
from django.utils.timezone import now

from contacts.models.contact import Contact
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["LABEL_LENGTH", "ContactNumber"]

LABEL_LENGTH: Final = 40


class ContactNumber(TenantOwned):
    """A number of a person beside the preferred one. A number belongs to one person, see ``contacts.number_lock``."""

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    number = models.CharField(max_length=16, db_collation="C")
    label = models.CharField(max_length=LABEL_LENGTH, blank=True)
    """What the person uses it for: "work", "daughter"."""
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="further_number_once")]
        indexes = [models.Index(fields=["tenant", "contact"], name="further_number_contact")]

    def __str__(self) -> str:
        return self.number
