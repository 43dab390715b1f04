"""The values of contacts as texts to them say them: dates as people in the business's country write them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contacts.fields import Kind, typed
from contacts.importing.dates import write_date
from contacts.models import Contact, ContactField
from tenants.models import Tenant

__all__ = ["MergeValues"]


@dataclass(frozen=True, slots=True)
class MergeValues:
    """What merge tags can use of each contact; made once for many."""

    kinds: Mapping[str, Kind]
    country: str

    @classmethod
    def of(cls, tenant: Tenant) -> "MergeValues":
        """By the tenant's fields as they are now."""
        fields = ContactField.objects.filter(deleted_at=None).values_list("key", "kind")
        return cls({key: Kind(kind) for key, kind in fields}, tenant.country)

    def values(self, contact: Contact) -> dict[str, str]:
        """The values by the names of their tags."""
        own = {name: self._written(name, str(value)) for name, value in contact.fields.items()}
        return own | {"first_name": contact.first_name, "last_name": contact.last_name, "email": contact.email}

    def _written(self, name: str, value: str) -> str:
        kind = self.kinds.get(name, Kind.TEXT)
        if kind != Kind.DATE:
            return typed(value, kind, self.country)
        try:
            return write_date(date.fromisoformat(value), self.country)
        except ValueError:
            return value
