"""Searching and filtering a tenant with a million contacts, at the database, with row-level security on.

Each case is a page of the list (the first or one deep in it) with its bounded count, as the page asks for them. The
baseline asks for the same people the obvious way: ``icontains`` and lookups inside JSON.
"""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

__all__ = ["run"]

CONTACTS: Final = int(os.environ.get("BENCH_CONTACTS", "1000000"))
ROUNDS: Final = 5
NAIVE_ROUNDS: Final = 2
KINDS: Final = {
    "pages of lists": ("search", "list by", "filter"),
    "of them searches": ("search",),
    "of them quick filters": ("list by",),
    "of them kept filters": ("filter",),
    "live counts": ("live count",),
}
"""What the names of cases begin with."""

Case = Callable[[], object]


def run() -> Iterator[Mapping[str, Any]]:
    """A line for each kind of case, for the slowest, and for the baseline."""
    from benchmarks.crowd import fill
    from tests.cast import make_company

    company = make_company("Crowd", "crowd@bench.example", "+12025550170")
    began = time.monotonic()
    fill(company.tenant.id, CONTACTS)
    yield {"name": "contacts made", "value": round(CONTACTS / (time.monotonic() - began)), "unit": "contacts/s"}
    times = _times(company.tenant, _cases(company.tenant), ROUNDS)
    for what, beginnings in KINDS.items():
        some = [one for name, several in times.items() for one in several if name.startswith(beginnings)]
        yield _line(f"{what}, {CONTACTS:,} contacts", sorted(some))
    slowest = sorted(times.items(), key=lambda item: -_percentile(sorted(item[1]), 50))[:8]
    for name, several in slowest:
        yield _line(f"slowest: {name}", sorted(several))
    naive = _times(company.tenant, _naive_cases(), NAIVE_ROUNDS)
    yield _line("naive: icontains and JSON", sorted(one for several in naive.values() for one in several))


def _cases(tenant: Any) -> dict[str, Case]:
    from benchmarks.crowd_cases import QUICK, RULES, SEARCHES, named
    from contacts.filters.rules import read_rule
    from contacts.filters.select import live_count
    from contacts.models import Contact, ContactField, ContactFilter, ContactList, Tag
    from contacts.selections import Selection
    from contacts.views.contacts import COUNTED_UP_TO
    from tenants.scope import tenant_scope

    with tenant_scope(tenant.id):
        ids = {str(each): str(each.pk) for model in (ContactField, Tag, ContactList) for each in model.objects.all()}
        deep = str(Contact.objects.order_by("-id").values_list("id", flat=True)[CONTACTS // 2])

    def shown(query: Mapping[str, str], cursor: str | None) -> Case:
        """The list as its page asks for it: what the page tells already is not counted."""
        asked = {name: ids.get(value, value) for name, value in query.items()}

        def ask() -> None:
            selection = Selection(asked, tenant.calling_codes)
            page = selection.page(cursor)
            if page.next or page.started:
                selection.count(COUNTED_UP_TO)

        return ask

    def counted(data: Mapping[str, Any]) -> Case:
        return lambda: live_count(read_rule(named(dict(data), ids)), tenant, COUNTED_UP_TO)

    with tenant_scope(tenant.id):
        for name, data in RULES.items():
            kept, _ = ContactFilter.objects.get_or_create(name=name, defaults={"rule": named(dict(data), ids)})
            ids[f"filter {name}"] = str(kept.id)
    cases: dict[str, Case] = {}
    for where, cursor in (("first page", None), ("deep page", deep)):
        cases |= {f"search {name}, {where}": shown({"q": text}, cursor) for name, text in SEARCHES.items()}
        cases |= {f"list by {name}, {where}": shown(query, cursor) for name, query in QUICK.items()}
        cases |= {f"filter {name}, {where}": shown({"filter": f"filter {name}"}, cursor) for name in RULES}
    return cases | {f"live count of {name}": counted(data) for name, data in RULES.items()}


def _naive_cases() -> dict[str, Case]:
    from django.db.models import Q

    from contacts.models import Contact

    def page(condition: Q) -> Case:
        return lambda: (
            list(Contact.objects.filter(condition).order_by("-id")[:51]),
            Contact.objects.filter(condition).count(),
        )

    return {
        "name": page(Q(first_name__icontains="mary") | Q(last_name__icontains="mary")),
        "rare name": page(Q(first_name__icontains="garciaab") | Q(last_name__icontains="garciaab")),
        "number": page(Q(number__contains="2012")),
        "city": page(Q(fields__city="Boston")),
        "visits": page(Q(fields__visits="99")),
    }


def _times(tenant: Any, cases: Mapping[str, Case], rounds: int) -> dict[str, list[float]]:
    """Milliseconds that the statements of each case took, without the first time, which fills caches."""
    from django.db import connection

    from tenants.scope import tenant_scope

    spent = 0.0

    def timed(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal spent
        began = time.perf_counter()
        try:
            return execute(*args)
        finally:
            spent += time.perf_counter() - began

    times: dict[str, list[float]] = {name: [] for name in cases}
    dice = random.Random(1)
    for turn in range(rounds + 1):
        for name in dice.sample(sorted(cases), len(cases)):
            with tenant_scope(tenant.id), connection.execute_wrapper(timed):
                spent = 0.0
                cases[name]()
                if turn:
                    times[name].append(1000 * spent)
    return times


def _percentile(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


def _line(name: str, ordered: list[float]) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(_percentile(ordered, 95), 1),
        "unit": "ms p95",
        "p50_ms": round(_percentile(ordered, 50), 1),
        "p99_ms": round(_percentile(ordered, 99), 1),
        "asked": len(ordered),
    }
