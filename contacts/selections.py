"""Selections of contacts by what the list of contacts is filtered by: its page and bulk actions see the same people."""

from collections.abc import Collection, Mapping
from typing import Final

from django.db.models import Q

from common.ids import id_or_none_such
from common.pages import Page, at_most, page_by_id
from common.planner import by_index, within
from common.search import searched_text
from consent.models import ConsentRecord, ConsentState, Suppression
from consent.purposes import Purpose
from contacts.among import Ask, Asking
from contacts.filters.rules import RuleProblem, read_rule
from contacts.filters.select import rule_q
from contacts.models import Contact, ContactFilter, ContactList, ContactTag, ListMember, Tag
from contacts.querysets import ContactQuerySet
from contacts.search import matching, search_count, search_page
from tenants.models import Tenant
from tenants.scope import current_tenant_id

__all__ = ["CONSENT_FILTER", "Selection", "filtered", "selected"]

CONSENT_FILTER: Final = [("opt_in", "Opted in"), ("opt_out", "Opted out"), ("none", "No consent")]
_WALK_MILLISECONDS: Final = 100
"""Where hardly anybody fulfils several conditions that many fulfil, walking would go through everybody."""
_COUNT_MILLISECONDS: Final = 25
"""The list can do without its count."""


class Selection:
    """Whom the list shows for a query: a page of them, and how many they are."""

    def __init__(self, query: Mapping[str, str], calling_codes: Collection[str]) -> None:
        self._query, self._codes, self._asking = query, calling_codes, Asking()
        self._search = searched_text(query.get("q", ""))

    def page(self, cursor: str | None) -> Page[Contact]:
        """A page, newest first."""
        walked = within(_WALK_MILLISECONDS, lambda: self.page_by(self._asking.walked, cursor))
        return walked or self.page_by(self._asking.joined, cursor)

    def count(self, limit: int) -> int | None:
        """How many they are, no further than one past ``limit``; None when counting would take too long."""
        return within(_COUNT_MILLISECONDS, lambda: self.count_by(self._asking.joined, limit))

    def page_by(self, ask: Ask, cursor: str | None) -> Page[Contact]:
        """A page, found in a given way, however long it takes."""
        rows = filtered(self._query, ask)
        if self._search:
            return search_page(rows, self._search, self._codes, cursor, ask)
        with by_index():
            return page_by_id(rows, cursor)

    def count_by(self, ask: Ask, limit: int) -> int:
        """Their number, found in a given way, however long it takes."""
        rows = filtered(self._query, ask)
        if self._search:
            return search_count(rows, self._search, self._codes, limit, ask)
        with by_index():
            return at_most(rows, limit)


def selected(query: Mapping[str, str]) -> ContactQuerySet[Contact]:
    """Everybody whom the list shows for this query, searched and filtered."""
    search = searched_text(query.get("q", ""))
    rows = filtered(query, Asking().joined)
    if not search:
        return rows
    codes = Tenant.objects.get(id=current_tenant_id()).calling_codes
    return rows.filter(Q(id__in=matching(search, codes)))


def filtered(query: Mapping[str, str], ask: Ask) -> ContactQuerySet[Contact]:
    """By list, tag, kept filter, consent and the archive. What is no filter filters nothing."""
    rows = Contact.objects.get_queryset()
    rows = rows.archived() if query.get("archived") else rows.active()
    if contact_list := ContactList.objects.filter(id=id_or_none_such(query.get("list", ""))).first():
        rows = rows.filter(ask(ListMember.objects.filter(contact_list=contact_list), "contact_id"))
    if tag := Tag.objects.filter(id=id_or_none_such(query.get("tag", ""))).first():
        rows = rows.filter(ask(ContactTag.objects.filter(tag=tag), "contact_id"))
    if kept := ContactFilter.objects.filter(id=id_or_none_such(query.get("filter", ""))).first():
        rows = _by_filter(rows, kept, ask)
    consent = query.get("consent", "")
    return rows.filter(_said(consent, ask)) if consent in dict(CONSENT_FILTER) else rows


def _by_filter(rows: ContactQuerySet[Contact], kept: ContactFilter, ask: Ask) -> ContactQuerySet[Contact]:
    """Whom the filter finds; nobody when it cannot be used any more."""
    try:
        return rows.filter(rule_q(read_rule(kept.rule), Tenant.objects.get(id=current_tenant_id()), ask))
    except RuleProblem:
        return rows.filter(Q(id__in=()))


def _said(consent: str, ask: Ask) -> Q:
    """Contacts by what they said about offers; an opt-out of everything counts, whatever they had agreed to."""
    states = ConsentState.objects.filter(purpose=Purpose.MARKETING)
    suppressed = ask(Suppression.objects.filter(lifted_at=None), "number")
    match consent:
        case "none":
            return ~ask(states, "number") & ~suppressed
        case ConsentRecord.Act.OPT_OUT:
            return ask(states.filter(act=consent), "number") | suppressed
        case _:
            return ask(states.filter(act=consent), "number") & ~suppressed
