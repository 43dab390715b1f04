"""Searching people by the beginning of whatever is known of them.

A search is a union of branches (names and e-mail, numbers, further numbers, tags, fields of the tenant's own). Each is
a range or an equality that its index answers under row-level security; with OR between tables PostgreSQL would read
everybody. A page is merged from the pages of the branches, so that each may stop as soon as it is full.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

from django.db import models
from django.db.models import Q

from common.calling_codes import international_starts
from common.pages import PAGE_ROWS, Page, page_by_id
from common.planner import by_index
from contacts.among import Ask, Asking
from contacts.fields import Kind
from contacts.folding import fold
from contacts.models import Contact, ContactField, ContactNumber, ContactTag, ContactValue, Tag
from contacts.querysets import ContactQuerySet, starts

__all__ = ["matching", "search_count", "search_page"]

_LEAST_LETTERS: Final = 3
"""Tags and fields are searched from so many letters on: with fewer almost everybody would be found."""
_MOST_WORDS: Final = 6
_MOST_TAGS: Final = 20


def search_page(
    rows: ContactQuerySet[Contact], text: str, calling_codes: Collection[str], cursor: str | None, ask: Ask
) -> Page[Contact]:
    """The newest of these contacts that the text finds."""
    branches = _branches(text, calling_codes, ask)
    with by_index():
        pages = [page_by_id(rows.filter(branch), cursor) for branch in branches]
    found = {contact.id: contact for page in pages for contact in page.rows}
    newest = sorted(found.values(), key=lambda contact: contact.id, reverse=True)
    more = len(newest) > PAGE_ROWS or any(page.next for page in pages)
    shown = newest[:PAGE_ROWS]
    started = page_by_id(Contact.objects.none(), cursor).started
    return Page(shown, str(shown[-1].id) if more and shown else "", started)


def search_count(
    rows: ContactQuerySet[Contact], text: str, calling_codes: Collection[str], limit: int, ask: Ask
) -> int:
    """How many of these contacts the text finds, counting no further than one past ``limit``."""
    branches = _branches(text, calling_codes, ask)
    some = [rows.filter(branch).order_by().values("id")[: limit + 1] for branch in branches]
    with by_index():
        return _union(some)[: limit + 1].count() if some else 0


def matching(text: str, calling_codes: Collection[str]) -> models.QuerySet[Contact, Any]:
    """The ids of the active tenant's contacts that the text finds, as a subquery."""
    branches = _branches(text, calling_codes, Asking().joined)
    ids = [Contact.objects.get_queryset().filter(branch).values("id") for branch in branches]
    return _union(ids) if ids else Contact.objects.none().values("id")


def _union(parts: list[models.QuerySet[Contact, Any]]) -> models.QuerySet[Contact, Any]:
    return parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]


def _branches(text: str, calling_codes: Collection[str], ask: Ask) -> list[Q]:
    text = text.replace("\x00", "").strip()
    beginnings = international_starts(text, calling_codes)
    if beginnings:
        number = _any(starts("number", beginning) for beginning in beginnings)
        return [number, ask(ContactNumber.objects.filter(number), "contact_id")]
    words = [key for word in text.split()[:_MOST_WORDS] if (key := fold(word))]
    if not words:
        return []
    branches = [_names(words) | (starts("email", text.lower()) if len(text.split()) == 1 else Q())]
    if sum(map(len, words)) >= _LEAST_LETTERS:
        branches += _tags(text, ask) + _values("".join(words), ask)
    return branches


def _names(words: list[str]) -> Q:
    """A first or last name that begins so, or both in either order wherever the one may end."""
    whole = "".join(words)
    found = starts("first_key", whole) | starts("last_key", whole)
    for cut in range(1, len(words)):
        one, other = "".join(words[:cut]), "".join(words[cut:])
        found |= starts("first_key", one) & starts("last_key", other)
        found |= starts("last_key", one) & starts("first_key", other)
    return found


def _tags(text: str, ask: Ask) -> list[Q]:
    tags = Tag.objects.filter(name__istartswith=text).order_by("name").values_list("id", flat=True)[:_MOST_TAGS]
    return [ask(ContactTag.objects.filter(tag_id=tag_id), "contact_id") for tag_id in tags]


def _values(key: str, ask: Ask) -> list[Q]:
    texts = ContactField.objects.filter(kind__in=(Kind.TEXT, Kind.CHOICE), deleted_at=None)
    values = ContactValue.objects.filter(starts("key", key), field_id__in=list(texts.values_list("id", flat=True)))
    return [ask(values, "contact_id")] if values.exists() else []


def _any(conditions: Iterable[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found
