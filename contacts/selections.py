"""Selections of contacts by what the list of contacts is filtered by: its page and bulk actions see the same people."""

from collections.abc import Mapping
from typing import Final

from django.db.models import Exists, OuterRef, Q

from common.ids import id_or_none_such
from common.pages import Page, at_most, page_by_id
from common.planner import by_index
from common.search import searched_text
from consent.models import ConsentRecord, ConsentState, Suppression
from consent.purposes import Purpose
from contacts.filters.rules import RuleProblem, read_rule
from contacts.filters.select import rule_q
from contacts.models import Contact, ContactFilter, ContactList, Tag
from contacts.querysets import ContactQuerySet
from contacts.search import matching
from tenants.models import Tenant
from tenants.scope import current_tenant_id

__all__ = ["CONSENT_FILTER", "count_of", "filtered", "page_of", "selected"]

CONSENT_FILTER: Final = [("opt_in", "Opted in"), ("opt_out", "Opted out"), ("none", "No consent")]


def selected(query: Mapping[str, str]) -> ContactQuerySet[Contact]:
    """Everybody whom the list shows for this query, searched and filtered."""
    search = searched_text(query.get("q", ""))
    rows = filtered(query)
    if not search:
        return rows
    codes = Tenant.objects.get(id=current_tenant_id()).calling_codes
    return rows.filter(Q(id__in=matching(search, codes)))


def filtered(query: Mapping[str, str]) -> ContactQuerySet[Contact]:
    """By list, tag, kept filter, consent and the archive. What is no filter filters nothing."""
    rows = Contact.objects.get_queryset()
    rows = rows.archived() if query.get("archived") else rows.active()
    if contact_list := ContactList.objects.filter(id=id_or_none_such(query.get("list", ""))).first():
        rows = rows.in_list(contact_list.id)
    if tag := Tag.objects.filter(id=id_or_none_such(query.get("tag", ""))).first():
        rows = rows.with_tag(tag.id)
    if kept := ContactFilter.objects.filter(id=id_or_none_such(query.get("filter", ""))).first():
        rows = _by_filter(rows, kept)
    consent = query.get("consent", "")
    return rows.filter(_said(consent)) if consent in dict(CONSENT_FILTER) else rows


def _by_filter(rows: ContactQuerySet[Contact], kept: ContactFilter) -> ContactQuerySet[Contact]:
    """Whom the filter finds; nobody when it cannot be used any more."""
    try:
        return rows.filter(rule_q(read_rule(kept.rule), Tenant.objects.get(id=current_tenant_id())))
    except RuleProblem:
        return rows.filter(Q(id__in=()))


def page_of(rows: ContactQuerySet[Contact], cursor: str | None) -> Page[Contact]:
    """A page of the list, newest first."""
    with by_index():
        return page_by_id(rows, cursor)


def count_of(rows: ContactQuerySet[Contact], limit: int) -> int:
    """How many they are, counting no further than one past ``limit``."""
    with by_index():
        return at_most(rows, limit)


def _said(consent: str) -> Q:
    """Contacts by what they said about offers; an opt-out of everything counts, whatever they had agreed to.

    The many are probed row by row, so that a page stops early; the few who opted out are looked up as a set.
    """
    states = ConsentState.objects.filter(purpose=Purpose.MARKETING)
    suppressed = Suppression.objects.filter(lifted_at=None)
    same_number = {"number": OuterRef("number")}
    if consent == "none":
        return ~Q(Exists(states.filter(**same_number))) & ~Q(Exists(suppressed.filter(**same_number)))
    said = states.filter(act=consent)
    if consent == ConsentRecord.Act.OPT_OUT:
        return Q(number__in=said.values("number").union(suppressed.values("number")))
    return Q(Exists(said.filter(**same_number))) & ~Q(Exists(suppressed.filter(**same_number)))
