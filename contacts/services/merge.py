"""Looking for duplicates, saying that two are not the same, and merging two that are."""

from collections.abc import Collection
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from common.tasks import enqueue_on_commit
from contacts.changes import note_change
from contacts.merging import merge
from contacts.models import Contact, ContactChange, ContactNumber, DuplicatePair, DuplicateSearch
from contacts.number_lock import hold_exclusively
from contacts.services.numbers import MAX_FURTHER_NUMBERS
from contacts.tasks import search_duplicates
from tenants.audit import record

__all__ = ["dismiss_pair", "merge_contacts", "start_search"]


@transaction.atomic
def start_search(*, user_id: UUID | None) -> DuplicateSearch:
    """Look for duplicates among all contacts; while a search is under way that one is it."""
    running = DuplicateSearch.objects.filter(finished_at=None).first()
    if running is not None:
        return running
    DuplicateSearch.objects.bulk_create([DuplicateSearch(created_by_id=user_id)], ignore_conflicts=True)
    search = DuplicateSearch.objects.get(finished_at=None)
    record("duplicates.searched", target=search, target_name="")
    enqueue_on_commit(search_duplicates, str(search.tenant_id), str(search.id))
    return search


@transaction.atomic
def dismiss_pair(*, pair: DuplicatePair, user_id: UUID | None) -> None:
    """They are two people: the pair is never offered again."""
    if DuplicatePair.objects.filter(id=pair.id, dismissed_at=None).update(
        dismissed_at=timezone.now(), dismissed_by_id=user_id
    ):
        record("duplicates.dismissed", target=pair, target_name="")


@transaction.atomic
def merge_contacts(*, kept: Contact, gone: Contact, taken: Collection[str] = ()) -> Contact:
    """Make one contact of two; it cannot be undone. Raises ``ValidationError`` when one of them is not there any more.

    ``taken`` names what is kept of the contact that goes: ``email``, ``field:city``. Without it the values of the one
    that stays hold, and those of the other fill its gaps.
    """
    if kept.id == gone.id:
        raise ValidationError("Choose two different contacts.")
    # Numbers change hands; and of two merges with a contact in common the second one sees what the first one did.
    hold_exclusively()
    rows = Contact.objects.select_for_update(of=("self",)).filter(id__in=[kept.id, gone.id]).order_by("id")
    found = {contact.id: contact for contact in rows}
    if len(found) < 2:
        raise ValidationError("One of these contacts was merged or erased meanwhile. Look at the duplicates again.")
    numbers = ContactNumber.objects.filter(contact_id__in=[kept.id, gone.id]).count() + 1
    if numbers > MAX_FURTHER_NUMBERS:
        raise ValidationError(f"Together they would have more than {MAX_FURTHER_NUMBERS} further numbers. Remove some.")
    merge(found[kept.id], found[gone.id], taken)
    note_change(found[kept.id], ContactChange.Kind.MERGED)
    record("contact.merged", target=found[kept.id], target_name="", after={"gone": gone.id, "taken": sorted(taken)})
    return found[kept.id]
