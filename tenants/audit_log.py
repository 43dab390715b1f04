"""Reading the audit log: which entries are asked for, and each of them as a sentence."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db.models import Q, QuerySet
from django.urls import reverse

from common.ids import first_id, id_in
from tenants.audit_words import KINDS, PAGES, VALUES, WORDS
from tenants.models import AuditEntry
from tenants.owned import TenantOwned

__all__ = ["BY_PLATFORM", "BY_PRODUCT", "AuditSearch", "Change", "Line", "as_lines", "entries"]

BY_PLATFORM: Final = "platform"
BY_PRODUCT: Final = "product"
_NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class AuditSearch:
    """Which entries are asked for; what is empty asks for nothing. The days are those of ``zone``, both included."""

    by: str = ""
    """A user's id, ``BY_PLATFORM`` or ``BY_PRODUCT``."""
    noun: str = ""
    target: UUID | None = None
    since: date | None = None
    until: date | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after; an empty text where there was none."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the page shows it: the sentence in three parts, with what was acted on in the middle."""

    entry: AuditEntry
    start: str
    target: str
    end: str
    url: str
    """The page of what was acted on, while it exists."""
    changes: Sequence[Change]

    @property
    def sentence(self) -> str:
        """What was done, without who did it."""
        return f"{self.start}{self.target}{self.end}"


def entries(search: AuditSearch) -> QuerySet[AuditEntry]:
    """The active tenant's entries that a search asks for. An id tells when its entry was made, so a day is a range of
    ids, and each question is answered by an index in the order of the page."""
    rows = AuditEntry.objects.filter(_who(search.by))
    if search.noun:
        rows = rows.filter(noun=search.noun)
    if search.target:
        rows = rows.filter(target_id=search.target)
    if search.since:
        rows = rows.filter(id__gte=first_id(_midnight(search.since, search.zone)))
    if search.until:
        rows = rows.filter(id__lt=first_id(_midnight(search.until + timedelta(days=1), search.zone)))
    return rows


def _who(by: str) -> Q:
    if by == BY_PLATFORM:
        return Q(by_platform=True)
    if by == BY_PRODUCT:
        return Q(actor=None, by_platform=False)
    return Q(actor_id=UUID(by)) if by else Q()


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone))


def as_lines(rows: Sequence[AuditEntry], *, zone: str) -> Iterator[Line]:
    """The entries in words; what they name is looked up once for each kind of thing."""
    found = _still_there(rows)
    for entry in rows:
        thing = found.get((entry.target_kind, entry.target_id))
        start, _, end = WORDS.get(entry.action, f"{entry.action} {{target}}").partition("{target}")
        yield Line(
            entry=entry,
            start=start,
            target=_name(entry, thing),
            end=end,
            url=_page_of(entry) if thing else "",
            changes=list(_changes(entry, zone)),
        )


def _still_there(rows: Iterable[AuditEntry]) -> Mapping[tuple[str, UUID | None], TenantOwned]:
    ids = defaultdict(set)
    for entry in rows:
        if entry.target_kind in PAGES and entry.target_id:
            ids[entry.target_kind].add(entry.target_id)
    return {
        (kind, thing.pk): thing
        for kind, wanted in ids.items()
        if kind in _models()
        for thing in _models()[kind].objects.filter(pk__in=wanted)
    }


@cache
def _models() -> Mapping[str, type[TenantOwned]]:
    return {model._meta.model_name or "": model for model in apps.get_models() if issubclass(model, TenantOwned)}


def _name(entry: AuditEntry, thing: TenantOwned | None) -> str:
    """Its name then; of people, whose names are not kept in the log, the one they have now."""
    if entry.target_kind == "contact" and thing is not None:
        return str(thing)
    return entry.target_name or KINDS.get(entry.target_kind, "")


def _page_of(entry: AuditEntry) -> str:
    page, has_own = PAGES[entry.target_kind]
    return reverse(page, args=[entry.target_id] if has_own else [])


def _changes(entry: AuditEntry, zone: str) -> Iterator[Change]:
    for name in {**entry.before, **entry.after}:
        before, after = (_shown(values[name], zone) if name in values else "" for values in (entry.before, entry.after))
        if before or after:
            yield Change(VALUES.get(name, name.replace("_", " ").capitalize()), before, after)


def _shown(value: object, zone: str) -> str:
    """A recorded value for reading; nothing for an id, which says nothing to a person."""
    if value is None or value in ("", []):
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_shown(each, zone) for each in value)
    text = str(value)
    if _is_id(text):
        return ""
    moment = _moment(text)
    return f"{moment.astimezone(ZoneInfo(zone)):%b %-d, %Y, %-I:%M %p}" if moment else text.replace("_", " ")


def _is_id(text: str) -> bool:
    return len(text) == 36 and id_in(text) is not None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
