"""Setting many contacts aside at once, and taking them out of the archive again."""

from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from contacts.models import Contact

__all__ = ["archive", "unarchive"]


def archive(contact_ids: Collection[UUID]) -> list[UUID]:
    """Set contacts aside; returns those that were not yet."""
    return _mark(contact_ids, archived=True)


def unarchive(contact_ids: Collection[UUID]) -> list[UUID]:
    """Take contacts out of the archive; returns those that were in it."""
    return _mark(contact_ids, archived=False)


def _mark(contact_ids: Collection[UUID], *, archived: bool) -> list[UUID]:
    # Locked in the order of ids, as everybody locks many rows.
    rows = Contact.objects.select_for_update(of=("self",)).filter(
        id__in=list(contact_ids), archived_at__isnull=archived
    )
    changed = list(rows.order_by("id").values_list("id", flat=True))
    now = timezone.now()
    Contact.objects.filter(id__in=changed).update(archived_at=now if archived else None, updated_at=now)
    return changed
