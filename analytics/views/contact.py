"""The page of one contact: who they are, what they agreed to, and everything that happened."""

from uuid import UUID

from django.conf.locale import LANG_INFO
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from analytics.timeline import KINDS, timeline
from consent.decision import ALLOW, DEFER, Decision
from consent.gate import REASONS
from consent.models import ConsentState, NumberMark, Suppression
from consent.purposes import Purpose
from contacts.fields import shown
from contacts.models import Contact, ContactField, ContactList, ContactNumber, ContactTag, ListMember, Tag
from messaging.explanation import explain
from support.models import Conversation
from tenants.access import TenantRequest, tenant_view
from tenants.models import Tenant
from tenants.permissions import Permission, allowed

__all__ = ["contact"]

_SHOWN_PURPOSES = (Purpose.MARKETING, Purpose.TRANSACTIONAL, Purpose.REMINDER, Purpose.SUPPORT)
_SUGGESTED_TAGS = 200


@tenant_view(Permission.VIEW, restricted_too=True)
@require_GET
def contact(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """One person. ``?kind=`` narrows what happened, ``?before=`` is the place of an older page of it; ``?number=`` is
    the number whose consent is shown."""
    found = get_object_or_404(Contact, id=contact_id)
    joined = ListMember.objects.filter(contact=found).values("contact_list_id")
    carried = ContactTag.objects.filter(contact=found).values("tag_id")
    further = list(ContactNumber.objects.filter(contact=found).order_by("id"))
    numbers = [found.number, *(row.number for row in further)]
    asked = request.GET.get("number", "")
    number = asked if asked in numbers else found.number
    kind = request.GET.get("kind", "")
    role = request.membership.role
    context = {
        "contact": found,
        "number": number,
        "numbers": numbers,
        "further_numbers": further,
        "language": LANG_INFO.get(found.language, {}).get("name", found.language),
        "values": _values(found),
        "suppression": Suppression.objects.filter(number=number, lifted_at=None).select_related("record").first(),
        "mark": NumberMark.objects.filter(number=number, cleared_at=None, holds_since__isnull=False).first(),
        "purposes": _purposes(request.tenant, number),
        "lists": ContactList.objects.filter(id__in=joined).order_by("name"),
        "other_lists": ContactList.objects.exclude(id__in=joined).order_by("name"),
        "tags": Tag.objects.filter(id__in=carried).order_by("name"),
        "other_tags": Tag.objects.exclude(id__in=carried).order_by("name")[:_SUGGESTED_TAGS],
        "timeline": timeline(found, numbers, kind=kind, before=request.GET.get("before", "")),
        "kinds": KINDS,
        "kind": kind,
        "user_id": request.user.id,
        "conversation": Conversation.objects.filter(number=number).first(),
        "zone": found.known_zone(business=request.tenant.timezone),
        "now": timezone.now(),
        "may_edit": allowed(role, Permission.EDIT_CONTACTS),
        "may_edit_notes": allowed(role, Permission.EDIT_ALL_NOTES),
        "is_restricted": request.membership.is_restricted,
        "may_erase": allowed(role, Permission.ERASE_CONTACTS),
        "may_take_evidence": allowed(role, Permission.MANAGE_TENANT),
        "may_reply": allowed(role, Permission.REPLY),
        "may_import": allowed(role, Permission.IMPORT_CONTACTS),
    }
    return TemplateResponse(request, "analytics/contact_detail.html", context)


def _values(contact: Contact) -> list[tuple[str, str]]:
    """The values of the tenant's own fields, in the fields' order, with their names."""
    fields = ContactField.objects.filter(key__in=list(contact.fields), deleted_at=None).order_by("position", "id")
    return [(field.label, shown(contact.fields[field.key], field.type.kind)) for field in fields]


def _purposes(tenant: Tenant, number: str) -> list[dict[str, object]]:
    """For each purpose: where consent stands, and in one sentence why the person can or cannot be texted now,
    with all that the gate looked at."""
    states = {state.purpose: state for state in ConsentState.objects.filter(number=number).select_related("record")}
    rows: list[dict[str, object]] = []
    for purpose in _SHOWN_PURPOSES:
        explanation = explain(tenant=tenant, number=number, purpose=purpose)
        decision = explanation.decision
        rows.append(
            {
                "purpose": purpose,
                "state": states.get(purpose),
                "may": decision.outcome == ALLOW,
                "because": _because(decision, purpose),
                "until": decision.until if decision.outcome == DEFER else None,
                "problem": decision.data.get("problem", ""),
                "findings": explanation.findings,
            }
        )
    return rows


def _because(decision: Decision, purpose: Purpose) -> str:
    """The decision as a sentence about "they"."""
    if decision.outcome == ALLOW:
        return "They wrote to you first." if decision.data.get("wrote_to_us") else "They agreed to this."
    if decision.rule == "number_is_not_suppressed":
        return "They opted out of all texts."
    if decision.rule == "person_agreed" and decision.data.get("consent") == "opt_out":
        return "They took their agreement to this back."
    if decision.rule == "person_agreed" and purpose == Purpose.SUPPORT:
        return "They have not agreed to this, and they have never written to you."
    if decision.rule == "person_agreed":
        return "They have not agreed to this."
    return f"{REASONS.get(decision.rule, 'A rule does not allow it')}."
