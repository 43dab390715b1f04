"""The tenant's own fields of contacts, and the index by which their values are found."""

from typing import Final

from django.db import models
from django.utils.timezone import now

from contacts.fields import FieldType, Kind
from contacts.folding import KEY_LENGTH
from contacts.models.contact import Contact
from tenants.owned import TenantForeignKey, TenantOwned, TenantOwnedInBulk

__all__ = ["FIELD_LABEL_LENGTH", "ContactField", "ContactValue"]

FIELD_LABEL_LENGTH: Final = 60


class ContactField(TenantOwned):
    """A field that the tenant added to its contacts. The values are in ``Contact.fields``, by ``key``."""

    class KindName(models.TextChoices):
        TEXT = Kind.TEXT.value, "Text"
        NUMBER = Kind.NUMBER.value, "Number"
        DATE = Kind.DATE.value, "Date"
        YES_NO = Kind.YES_NO.value, "Yes or no"
        CHOICE = Kind.CHOICE.value, "One of several choices"

    key = models.CharField(max_length=40)
    """The name in merge tags; it stays when the label changes."""
    label = models.CharField(max_length=FIELD_LABEL_LENGTH)
    kind = models.CharField(max_length=10, choices=KindName, default=KindName.TEXT)
    choices = models.JSONField(default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=now, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    """Gone for everybody; a task still takes the values out of the contacts, and then this row."""

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="contact_field_key_once")]

    def __str__(self) -> str:
        return self.label

    @property
    def type(self) -> FieldType:
        """What the pure rules of ``contacts.fields`` need to know."""
        return FieldType(Kind(self.kind), tuple(self.choices))


class ContactValue(TenantOwnedInBulk):
    """One value of one contact, by a key that sorts as the values do (``contacts.fields.key_of``).

    Derived from ``Contact.fields`` by ``contacts.values``, so that equality, prefixes and ranges keep their index under
    row-level security, which a search inside JSON does not.
    """

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "field_id", "key", "contact_id")
    field = TenantForeignKey(ContactField, on_delete=models.CASCADE, related_name="+", enforced=False)
    key = models.CharField(max_length=KEY_LENGTH, db_collation="C")
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", enforced=False)

    class Meta(TenantOwnedInBulk.Meta):
        indexes = [models.Index(fields=["tenant", "contact"], name="contact_value_contact")]

    def __str__(self) -> str:
        return self.key
