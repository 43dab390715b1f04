"""Finding contacts that may be the same person: set-based, over all of a tenant's contacts."""

import re
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.planner import refresh_statistics
from contacts.fields import Kind
from contacts.models import Contact, ContactField, ContactValue, DuplicatePair, DuplicateSearch
from tenants.scope import all_tenants, current_tenant_id, tenant_scope

__all__ = ["find_duplicates", "waiting_searches"]

SEARCH_SECONDS: Final = 300
MOST_ALIKE: Final = 20
"""An address that more people share is a family's or a company's, and tells nothing."""
_TELLING: Final = re.compile(
    r"zip|postal|postcode|plz|birth|born|geburt|naci|customer_(?:id|no|number)|member_(?:id|no)"
)
"""Keys of fields that tell people of one name apart; every date does, too."""

_BY_EMAIL: Final = """
SELECT array_agg(id ORDER BY id) AS ids, 'email' AS why FROM contacts_contact
WHERE tenant_id = %(tenant)s AND email <> '' AND archived_at IS NULL AND erased_at IS NULL
GROUP BY lower(email) HAVING count(*) BETWEEN 2 AND %(most)s
"""
_BY_NAME: Final = """
SELECT array_agg(c.id ORDER BY c.id) AS ids, 'name' AS why
FROM contacts_contactvalue v JOIN contacts_contact c ON c.tenant_id = v.tenant_id AND c.id = v.contact_id
WHERE v.tenant_id = %(tenant)s AND v.field_id = ANY(%(fields)s::uuid[]) AND v.key <> ''
  AND c.first_key <> '' AND c.last_key <> '' AND c.archived_at IS NULL AND c.erased_at IS NULL
GROUP BY c.first_key, c.last_key, v.field_id, v.key HAVING count(*) BETWEEN 2 AND %(most)s
"""
_PAIRS: Final = """
INSERT INTO contacts_duplicatepair (id, tenant_id, one_id, other_id, why, found_at)
SELECT gen_random_uuid(), %(tenant)s, alike.ids[1], another.id, alike.why, now()
FROM ({alike}) alike CROSS JOIN LATERAL unnest(alike.ids[2:]) AS another(id)
ON CONFLICT (tenant_id, one_id, other_id) DO NOTHING
"""
"""Each with the one who was there first: after merging them the next search finds what is left."""


def find_duplicates(tenant_id: UUID, search_id: UUID) -> None:
    """Do one search, unless it is done already. What was dismissed stays dismissed."""
    refresh_statistics(Contact, ContactValue)
    with tenant_scope(tenant_id, durable=True):
        search = DuplicateSearch.objects.select_for_update(of=("self",)).filter(id=search_id, finished_at=None).first()
        if search is None:
            return
        DuplicatePair.objects.filter(dismissed_at=None).delete()
        for alike in (_BY_EMAIL, _BY_NAME):
            _find(alike)
        search.found = DuplicatePair.objects.filter(dismissed_at=None).count()
        search.finished_at = timezone.now()
        search.save(update_fields=["found", "finished_at"])


def waiting_searches() -> list[tuple[UUID, UUID]]:
    """Searches nobody has done yet: (tenant, search)."""
    with all_tenants("find searches for duplicates that wait"):
        waiting = DuplicateSearch.objects.filter(finished_at=None).order_by("created_at")
        return list(waiting.values_list("tenant_id", "id")[:20])


def _find(alike: str) -> None:
    own = ContactField.objects.filter(deleted_at=None)
    telling = [field.id for field in own if field.kind == Kind.DATE or _TELLING.search(field.key)]
    with connection.cursor() as cursor:
        # A million people take longer than any other statement may.
        cursor.execute("SET LOCAL statement_timeout = %s", [f"{SEARCH_SECONDS}s"])
        cursor.execute(
            _PAIRS.format(alike=alike), {"tenant": current_tenant_id(), "fields": telling, "most": MOST_ALIKE}
        )
