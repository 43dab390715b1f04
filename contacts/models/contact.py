"""A person a tenant knows."""

from typing import Any, ClassVar, Final, Self
from uuid import UUID

from django.db import models
from django.utils.timezone import now

from contacts.querysets import ContactManager, with_numbers
from contacts.zones import KnownZone, ZoneSource, zone_of
from tenants.owned import TenantManager, TenantOwned, TenantOwnedInBulk
from tenants.restriction import numbers_assigned_to, restricting

__all__ = ["NAME_LENGTH", "Contact"]

NAME_LENGTH: Final = 80


class Contact(TenantOwnedInBulk):
    """A person. ``number`` is the preferred one of their numbers; consent is kept by number in the consent app, not here."""

    number = models.CharField(max_length=16, db_collation="C")
    first_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    last_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    first_key = models.CharField(max_length=NAME_LENGTH, db_collation="C", editable=False)
    last_key = models.CharField(max_length=NAME_LENGTH, db_collation="C", editable=False)
    """The names as ``contacts.folding`` spells them: prefix searches keep their index under row-level security only on stored columns."""
    email = models.CharField(max_length=254, blank=True, db_collation="C")
    language = models.CharField(max_length=10, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    timezone_source = models.CharField(
        max_length=10, blank=True, choices=ZoneSource, db_default="", default="", editable=False
    )
    """How the zone is known; empty without one. What a number points to is not stored, see ``known_zone``."""
    last_inbound_at = models.DateTimeField(null=True, editable=False)
    """When the person last wrote, from any of their numbers."""
    fields = models.JSONField(default=dict)
    """Values of the tenant's own fields by key; they can be used as merge tags."""
    created_at = models.DateTimeField(default=now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    """Since when the person is out of lists, searches and audiences; they and what happened with them are kept."""
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    """Set for an empty shell: a person whose data was erased. ``objects`` does not find it."""
    merged_into = models.UUIDField(null=True, blank=True, editable=False)
    """Of an empty shell: the contact that has everything of it now."""
    updated_at = models.DateTimeField(default=now, editable=False)

    objects: ClassVar[ContactManager[Self]] = ContactManager()
    with_erased: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta(TenantOwned.Meta):
        # What points to an erased person still finds the empty shell.
        base_manager_name = "with_erased"
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="contact_number_once")]
        indexes = [
            models.Index(fields=["tenant", "first_key"], name="contact_first_key"),
            models.Index(fields=["tenant", "last_key"], name="contact_last_key"),
            models.Index(fields=["tenant", "email"], condition=models.Q(email__gt=""), name="contact_email"),
            models.Index(
                fields=["tenant", "last_inbound_at"],
                condition=models.Q(last_inbound_at__isnull=False),
                name="contact_last_inbound",
            ),
            models.Index(
                fields=["tenant", "number"], condition=models.Q(archived_at__isnull=False), name="contact_archived"
            ),
        ]

    @classmethod
    def seen_by(cls, rows: models.QuerySet[Any], member_id: UUID) -> models.QuerySet[Any]:
        """People with a number whose conversation is assigned to the member."""
        with restricting(None):
            return rows.filter(id__in=with_numbers(models.Q(number__in=numbers_assigned_to(member_id))))

    def __str__(self) -> str:
        if self.erased_at:
            return "Merged contact" if self.merged_into else "Erased person"
        return self.full_name or self.number

    @property
    def full_name(self) -> str:
        """First and last name; empty when neither is known."""
        return f"{self.first_name} {self.last_name}".strip()

    def known_zone(self, *, business: str) -> KnownZone:
        """The zone they live in as far as it is known, else that of the ``business``."""
        return zone_of(number=self.number, noted=self.timezone, source=self.timezone_source, business=business)
