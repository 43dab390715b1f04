"""From a rule to the contacts it chooses, in a form that PostgreSQL answers from indexes.

"All" and "none" are joined as they stand. "Any" needs care: with OR between conditions on other tables PostgreSQL reads
every contact. When each part chooses few people, they are looked up as a union of ids. When one chooses many, contacts
are walked in the order of the page and probed row by row, which fills a page early.
"""

from typing import Final

from django.db import OperationalError, connection, models, transaction
from django.db.models import Exists, Q, Subquery
from django.db.models.lookups import IsNull
from psycopg2.errors import QueryCanceled

from common.pages import at_most
from common.planner import by_index
from contacts.filters.conditions import Ask, Known, condition_q
from contacts.filters.rules import Condition, Group, Part
from contacts.models import Contact
from contacts.querysets import ContactQuerySet
from tenants.models import Tenant

__all__ = ["check", "chosen", "live_count", "rule_q"]

_FEW: Final = 1_000
_COUNT_SECONDS: Final = 3


def chosen(rule: Group, tenant: Tenant) -> ContactQuerySet[Contact]:
    """The active tenant's contacts that the rule chooses, archived ones aside. Raises ``RuleProblem``."""
    return Contact.objects.get_queryset().active().filter(rule_q(rule, tenant))


def rule_q(rule: Group, tenant: Tenant) -> Q:
    """The rule as a filter on contacts. Raises ``RuleProblem``."""
    return _group_q(rule, Known.of(tenant), _exists)


def check(rule: Group, tenant: Tenant) -> None:
    """Raises ``RuleProblem`` for a rule that cannot be used in the tenant."""
    known = Known.of(tenant)
    _each_makes_sense(rule, known)


def live_count(rows: models.QuerySet[Contact], limit: int) -> int | None:
    """How many there are, no further than one past ``limit``; None when counting would take too long."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = %s", [f"{_COUNT_SECONDS}s"])
            with by_index():
                counted = at_most(rows, limit)
            with connection.cursor() as cursor:
                # SET LOCAL outlives a released savepoint.
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
            return counted
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise


def _each_makes_sense(group: Group, known: Known) -> None:
    for part in group.parts:
        if isinstance(part, Group):
            _each_makes_sense(part, known)
        else:
            condition_q(part, known, _exists)


def _group_q(group: Group, known: Known, ask: Ask) -> Q:
    if group.match == "any":
        return _any_q(group.parts, known)
    found = Q()
    for part in group.parts:
        one = _part_q(part, known, ask)
        found &= ~one if group.match == "none" else one
    return found


def _part_q(part: Part, known: Known, ask: Ask) -> Q:
    return condition_q(part, known, ask) if isinstance(part, Condition) else _group_q(part, known, ask)


def _any_q(parts: tuple[Part, ...], known: Known) -> Q:
    if not parts:
        return Q()
    if len(parts) == 1:
        return _part_q(parts[0], known, _exists)
    choices = [Contact.objects.get_queryset().filter(_part_q(part, known, _exists)) for part in parts]
    if all(_is_few(choice) for choice in choices):
        ids = [choice.order_by().values("id") for choice in choices]
        return Q(id__in=ids[0].union(*ids[1:], all=True))
    found = Q()
    for part in parts:
        found |= _part_q(part, known, _probe)
    return found


def _is_few(choice: models.QuerySet[Contact]) -> bool:
    count = live_count(choice, _FEW)
    return count is not None and count <= _FEW


def _exists(rows: models.QuerySet[models.Model]) -> Q:
    """Joined with the contacts, in whichever order is cheaper."""
    return Q(Exists(rows))


def _probe(rows: models.QuerySet[models.Model]) -> Q:
    """Asked for each contact that is looked at. EXISTS beside OR would make PostgreSQL read all of the other table."""
    return Q(IsNull(Subquery(rows.values("tenant_id")[:1]), False))
