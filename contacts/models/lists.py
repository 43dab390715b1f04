"""Stored sets of contacts: lists, and tags on people."""

from django.db import models
from django.utils.timezone import now

from contacts.models.contact import Contact
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["ContactList", "ContactTag", "ListMember", "Tag"]


class ContactList(TenantOwned):
    """A stored set of contacts."""

    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="contact_list_name_once")]

    def __str__(self) -> str:
        return self.name


class ListMember(TenantOwned):
    """A contact in a list."""

    contact_list = TenantForeignKey(ContactList, on_delete=models.CASCADE, related_name="+")
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+")

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "contact_list", "contact"], name="list_member_once")]
        indexes = [models.Index(fields=["tenant", "contact"], name="list_member_contact")]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.contact_list_id}"


class Tag(TenantOwned):
    """A label on contacts."""

    name = models.CharField(max_length=40)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="tag_name_once")]

    def __str__(self) -> str:
        return self.name


class ContactTag(TenantOwned):
    """A tag on a contact."""

    tag = TenantForeignKey(Tag, on_delete=models.CASCADE, related_name="+")
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+")

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "tag", "contact"], name="contact_tag_once")]
        indexes = [models.Index(fields=["tenant", "contact"], name="contact_tag_contact")]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.contact_id}"
