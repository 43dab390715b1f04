"""From a rule to the contacts it chooses, in a form that PostgreSQL answers from indexes.

Conditions on other tables are looked up or probed (``contacts.among``). "Any" needs more care: with OR between
conditions PostgreSQL may read every contact. When each part chooses few people, they are looked up as a union of ids;
when one chooses many, contacts are walked in the order of the page, which fills a page early.
"""

from typing import Final

from django.db import models
from django.db.models import Q

from common.pages import at_most
from common.planner import by_index, within
from contacts.among import Ask, Asking, known_few
from contacts.filters.conditions import Known, condition_q
from contacts.filters.rules import Condition, Group, Part
from contacts.models import Contact
from contacts.querysets import ContactQuerySet
from tenants.models import Tenant

__all__ = ["check", "chosen", "live_count", "rule_q"]

_COUNT_MILLISECONDS: Final = 3_000
_LOOK_MILLISECONDS: Final = 50
_FEW_COUNTED: Final = 3_000


def chosen(rule: Group, tenant: Tenant) -> ContactQuerySet[Contact]:
    """All of the active tenant's contacts that the rule chooses, archived ones aside. Raises ``RuleProblem``."""
    return Contact.objects.get_queryset().active().filter(rule_q(rule, tenant, Asking().joined))


def rule_q(rule: Group, tenant: Tenant, ask: Ask) -> Q:
    """The rule as a filter on contacts. Raises ``RuleProblem``."""
    return _group_q(rule, Known.of(tenant), ask)


def check(rule: Group, tenant: Tenant) -> None:
    """Raises ``RuleProblem`` for a rule that cannot be used in the tenant."""
    known = Known.of(tenant)
    _each_makes_sense(rule, known)


def live_count(rule: Group, tenant: Tenant, limit: int) -> int | None:
    """How many contacts the rule chooses, no further than one past ``limit``; None when counting would take too long."""

    def count() -> int:
        rows = chosen(rule, tenant)
        with by_index():
            return at_most(rows, limit)

    return within(_COUNT_MILLISECONDS, count)


def _each_makes_sense(group: Group, known: Known) -> None:
    for part in group.parts:
        if isinstance(part, Group):
            _each_makes_sense(part, known)
        else:
            condition_q(part, known, _unasked)


def _group_q(group: Group, known: Known, ask: Ask) -> Q:
    if group.match == "any":
        return _any_q(group.parts, known, ask)
    found = Q()
    for part in group.parts:
        one = _part_q(part, known, ask)
        found &= ~one if group.match == "none" else one
    return found


def _part_q(part: Part, known: Known, ask: Ask) -> Q:
    return condition_q(part, known, ask) if isinstance(part, Condition) else _group_q(part, known, ask)


def _any_q(parts: tuple[Part, ...], known: Known, ask: Ask) -> Q:
    if not parts:
        return Q()
    asked = [_part_q(part, known, ask) for part in parts]
    if len(parts) == 1:
        return asked[0]
    if all(_is_few(one) for one in asked):
        ids = [Contact.objects.get_queryset().filter(one).order_by().values("id") for one in asked]
        return Q(id__in=ids[0].union(*ids[1:], all=True))
    found = Q()
    for one in asked:
        found |= one
    return found


def _is_few(asked: Q) -> bool:
    known = known_few(asked)
    return _count_shows_few(asked) if known is None else known


def _count_shows_few(asked: Q) -> bool:
    choice = Contact.objects.get_queryset().filter(asked)
    with by_index():
        count = within(_LOOK_MILLISECONDS, lambda: at_most(choice, _FEW_COUNTED))
    return count is not None and count <= _FEW_COUNTED


def _unasked(rows: models.QuerySet[models.Model], column: str) -> Q:
    """For whoever only wants to know whether the condition makes sense."""
    return Q()
