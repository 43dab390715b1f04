"""How people agreed, and whether that does for a kind of text.

Whoever writes, ticks a box or answers by text agreed in writing. Who said so to staff agreed expressly. From a purchase
or an inquiry consent is only inferred.
"""

from collections.abc import Collection, Mapping
from typing import Final

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Left

from common.number_zones import places_of, regions_of_areas
from consent.models import ConsentRecord, ConsentState, PurposeRules
from consent.purposes import Purpose
from tenants.scope import current_tenant_id

__all__ = ["SPOKEN_OR_LESS", "any_not_in_writing", "needed_from", "strong_enough", "weak_among", "weaker_than"]

_Source = ConsentRecord.Source
_Agreement = PurposeRules.Agreement

INFERRED: Final = (_Source.EXISTING_CUSTOMER.value, _Source.INQUIRY.value)
SPOKEN_OR_LESS: Final = (_Source.VERBAL.value, _Source.CAME_BACK.value, *INFERRED)
"""What is not in writing. Who came back had one of the others before: these are in the index ``consent_record_weak``."""

_TOO_WEAK: Final[Mapping[str, tuple[str, ...]]] = {
    _Agreement.LAW: (),
    _Agreement.EXPRESS: INFERRED,
    _Agreement.WRITTEN: SPOKEN_OR_LESS,
}

_ANY: Final = """
SELECT EXISTS (SELECT FROM consent_consentrecord WHERE tenant_id = %(tenant)s AND purpose = %(purpose)s
               AND act = 'opt_in' AND source IN ('verbal', 'existing_customer', 'inquiry'))
"""


def needed_from(number: str, purpose: str, asked: str) -> str:
    """How whoever has the number must have agreed.

    Offers in the US need an agreement in writing (47 CFR 64.1200(a)(2), (f)(9)); whose number may be a US one counts as
    there. Elsewhere a law may let consent be inferred (``consent.validity`` says for how long), and for what people wait
    for it does to have given the number for it.
    """
    if asked == _Agreement.LAW and purpose == Purpose.MARKETING and _may_be_in_the_us(number):
        return _Agreement.WRITTEN.value
    return asked


def weaker_than(source: str) -> tuple[str, ...]:
    """The sources of agreements that are less than one of ``source``."""
    if source in INFERRED:
        return ()
    return INFERRED if source in SPOKEN_OR_LESS else SPOKEN_OR_LESS


def weak_among(records: Mapping[str, str], purpose: str, asked: str) -> dict[str, dict[str, object]]:
    """Of these numbers, with the record of the agreement of each, those whose agreement does not do, as stored with the
    decision. One query as long as the tenant has no weak agreement of the purpose, two otherwise."""
    if not records or not _any_weak(purpose, asked):
        return {}
    sources = _weak_sources(records.values())
    weak: dict[str, dict[str, object]] = {}
    for number, record_id in records.items():
        source = sources.get(record_id, "")
        needed = needed_from(number, purpose, asked)
        if source in _TOO_WEAK[needed]:
            weak[number] = {"record": record_id, "agreed_by": source, "needed": needed}
    return weak


def strong_enough(rows: QuerySet[ConsentState], purpose: str, asked: str) -> QuerySet[ConsentState]:
    """Of agreements to a purpose those that do for it: the same as ``weak_among``, as a condition for counting many."""
    if not _any_weak(purpose, asked):
        return rows
    weak = Q(record__source__in=_TOO_WEAK[asked if asked != _Agreement.LAW else _Agreement.WRITTEN])
    if asked == _Agreement.LAW:
        elsewhere = [f"+1{code}" for code, places in regions_of_areas().items() if not any(map(_is_us, places))]
        weak &= Q(number__startswith="+1") & ~Q(area__in=elsewhere)
    return rows.alias(area=Left("number", 5)).exclude(weak)


def _any_weak(purpose: str, asked: str) -> bool:
    """Whether any agreement of the active tenant may be too weak."""
    if asked == _Agreement.LAW and purpose != Purpose.MARKETING:
        return False
    return any_not_in_writing(purpose)


def any_not_in_writing(purpose: str) -> bool:
    """Whether the active tenant has recorded any such agreement to the purpose."""
    with connection.cursor() as cursor:
        cursor.execute(_ANY, {"tenant": current_tenant_id(), "purpose": purpose})
        return bool(cursor.fetchone()[0])


def _is_us(place: str) -> bool:
    return place == "US" or place.startswith("US-")


def _weak_sources(record_ids: Collection[str]) -> dict[str, str]:
    rows = ConsentRecord.objects.filter(id__among=record_ids, source__in=SPOKEN_OR_LESS).values_list("id", "source")
    return {str(record_id): source for record_id, source in rows}


def _may_be_in_the_us(number: str) -> bool:
    if not number.startswith("+1"):
        return False
    found = places_of(number).jurisdictions
    return not found or any(map(_is_us, found))
