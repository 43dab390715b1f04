"""The inbox: conversations on the left, the thread in the middle, the person on the right."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_POST

from common.form_pages import form_of
from common.forms import add_errors
from common.pages import PAGE_ROWS
from common.search import number_digits, search_text
from consent.decision import ALLOW
from consent.models import ConsentState, Suppression
from consent.purposes import Purpose
from contacts.models import Contact
from contacts.search import matching
from messaging.models import Message
from messaging.reasons import decision_reason
from messaging.services import why_or_why_not
from support import services
from support.assignment import unassigned
from support.forms import AssignForm, NewConversationForm, ReplyForm
from support.models import Conversation
from support.thread import SHOWN, thread
from tenants.access import TenantRequest, tenant_view
from tenants.models import Tenant
from tenants.permissions import Permission, allowed

__all__ = [
    "conversation",
    "conversation_assign",
    "conversation_close",
    "conversation_open",
    "conversation_reply",
    "conversation_review",
    "inbox",
]

MOST_ROWS: Final = 500
MOST_TEXTS: Final = 1_000
_DECIDED: Final[Mapping[services.Review, str]] = {
    "opt_out": "The opt-out is recorded. This number gets no more texts.",
    "wrong_number": "Recorded as a wrong number. It gets no more texts.",
    "keep": "Kept as an ordinary text. Nothing changed for this person.",
}
_WHOSE: Final = (("", "All"), ("mine", "Mine"), ("unassigned", "Unassigned"))
_FILTERS: Final = (("open", "Open"), ("unread", "Unread"), ("review", "To check"), ("closed", "Closed"))


@tenant_view(Permission.VIEW, restricted_too=True)
@require_GET
def inbox(request: TenantRequest) -> HttpResponse:
    """All conversations; the newest is not opened by itself, so that nothing counts as read unseen."""
    return _page(request, None)


@tenant_view(Permission.VIEW, restricted_too=True)
@require_GET
def conversation(request: TenantRequest, conversation_id: UUID) -> HttpResponse:
    """One thread. ``?part=`` answers the polling of the list and of the thread."""
    found = _conversation(conversation_id)
    if allowed(request.membership.role, Permission.REPLY):
        # Whoever may only look does not take it off the others' list.
        services.mark_read(conversation=found)
        found.unread_count = 0
    if request.htmx and request.GET.get("part") == "thread":
        context = {
            "conversation": found,
            **_texts(request, found),
            **_standing(request, found),
            **_person(request.tenant, found),
        }
        context["may_record"] = allowed(request.membership.role, Permission.EDIT_CONTACTS)
        return TemplateResponse(request, "support/_thread.html", context)
    return _page(request, found)


@tenant_view(Permission.REPLY, restricted_too=True)
@form_of("conversation")
def conversation_reply(request: TenantRequest, conversation_id: UUID) -> HttpResponse:
    """Answer. What cannot be sent at all stays in the box; what a rule keeps back stands in the thread with the reason."""
    found = _conversation(conversation_id)
    form = ReplyForm(request.POST)
    if form.is_valid():
        try:
            message = services.reply(
                tenant=request.tenant,
                conversation=found,
                body=form.cleaned_data["body"],
                user_id=request.user.id,
                message_id=form.cleaned_data["once"],
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            if message.status == Message.Status.BLOCKED:
                messages.warning(request, "This text was not sent. The reason stands below it.")
            return redirect("conversation", found.id)
    return _page(request, found, form=form, status=422)


@tenant_view(Permission.REPLY)
@form_of("inbox")
def conversation_open(request: TenantRequest) -> HttpResponse:
    """Open the conversation with a number, also one that has never written."""
    form = NewConversationForm(request.POST)
    if form.is_valid():
        try:
            found = services.open_conversation(tenant=request.tenant, number=form.cleaned_data["number"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            return redirect("conversation", found.id)
    return _page(request, None, new_form=form, status=422)


@tenant_view(Permission.EDIT_CONTACTS, restricted_too=True)
@form_of("conversation")
def conversation_review(request: TenantRequest, conversation_id: UUID) -> HttpResponse:
    """Decide about a text that may have been an opt-out: it was one, or it was not."""
    found = _conversation(conversation_id)
    decision = next((one for one in _DECIDED if one == request.POST.get("decision")), None)
    if decision is None:
        messages.error(request, "Choose whether the text was an opt-out or an ordinary text.")
        return _page(request, found, status=422)
    services.settle_review(conversation=found, decision=decision, user_id=request.user.id)
    messages.success(request, _DECIDED[decision])
    return redirect("review_queue") if request.POST.get("then") == "queue" else redirect("conversation", found.id)


@tenant_view(Permission.REPLY, restricted_too=True)
@require_POST
def conversation_close(request: TenantRequest, conversation_id: UUID) -> HttpResponse:
    """Done with it (or take it up again); a new text opens it by itself."""
    found = _conversation(conversation_id)
    if request.POST.get("reopen"):
        services.reopen(conversation=found)
        return redirect("conversation", found.id)
    services.close(conversation=found)
    messages.success(request, "Conversation closed. It opens again when the person writes.")
    return redirect("inbox")


@tenant_view(Permission.REPLY, restricted_too=True)
@form_of("conversation")
def conversation_assign(request: TenantRequest, conversation_id: UUID) -> HttpResponse:
    """Give it to a member, or to nobody in particular."""
    found = _conversation(conversation_id)
    form = AssignForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a member who may answer conversations.")
        return _page(request, found, status=422)
    member = form.cleaned_data["member"]
    services.assign(conversation=found, member=member)
    messages.success(request, f"Assigned to {member.shown_name}." if member else "Assigned to nobody.")
    gone = request.membership.is_restricted and member != request.membership
    return redirect("inbox") if gone else redirect("conversation", found.id)


def _conversation(conversation_id: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.select_related("contact", "assigned_to__user"), id=conversation_id)


def _page(
    request: TenantRequest,
    found: Conversation | None,
    *,
    form: ReplyForm | None = None,
    new_form: NewConversationForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, object] = {**_list(request, found), "conversation": found}
    if request.htmx and request.GET.get("part") == "list":
        return TemplateResponse(request, "support/_conversation_list.html", context)
    if found is not None:
        context |= {**_texts(request, found), **_standing(request, found), **_person(request.tenant, found)}
    context |= {
        "form": form or ReplyForm(),
        "new_form": new_form or NewConversationForm(),
        "may_reply": allowed(request.membership.role, Permission.REPLY),
        "may_record": allowed(request.membership.role, Permission.EDIT_CONTACTS),
        "may_open": allowed(request.membership.role, Permission.REPLY) and not request.membership.is_restricted,
    }
    if found is not None:
        context["assign_form"] = AssignForm(initial={"member": found.assigned_to_id})
    return TemplateResponse(request, "support/inbox.html", context, status=status)


def _list(request: TenantRequest, found: Conversation | None) -> dict[str, object]:
    shown = request.GET.get("show", "")
    shown = shown if shown in dict(_FILTERS) else "open"
    whose = request.GET.get("whose", "")
    whose = whose if whose in dict(_WHOSE) else ""
    newest = Conversation.objects.select_related("assigned_to__user").order_by("-last_at")
    rows = _shown(_assigned(newest, whose, request), shown, found)
    search = search_text(request)
    if search:
        digits = number_digits(search)
        people = matching(search, request.tenant.calling_codes)
        rows = rows.filter(Q(number__contains=digits) if digits else Q(contact_id__in=people))
    limit = _number(request, "rows", PAGE_ROWS, MOST_ROWS)
    listed = list(rows[: limit + 1])
    people_by_number = Contact.objects.owners([row.number for row in listed])
    for row in listed:
        # A number may have gone to another person since the last text.
        row.contact = people_by_number.get(row.number)
    return {
        "conversations": listed[:limit],
        "more_rows": limit + PAGE_ROWS if len(listed) > limit and limit < MOST_ROWS else None,
        "rows": limit,
        "show": shown,
        "filters": _FILTERS,
        "whose": whose,
        "whose_choices": () if request.membership.is_restricted else _WHOSE,
        "q": search,
    }


def _assigned(rows: QuerySet[Conversation], whose: str, request: TenantRequest) -> QuerySet[Conversation]:
    if whose == "mine":
        return rows.filter(assigned_to=request.membership)
    return rows.filter(unassigned()) if whose == "unassigned" else rows


def _shown(rows: QuerySet[Conversation], shown: str, found: Conversation | None) -> QuerySet[Conversation]:
    if shown == "closed":
        return rows.filter(closed_at__isnull=False)
    if shown == "open":
        return rows.filter(closed_at=None)
    chosen = Q(unread_count__gt=0) if shown == "unread" else Q(needs_review=True)
    # The one that is being read stays in its place until another one is opened.
    return rows.filter(chosen | Q(id=found.id)) if found else rows.filter(chosen)


def _texts(request: TenantRequest, found: Conversation) -> dict[str, object]:
    limit = _number(request, "texts", SHOWN, MOST_TEXTS)
    texts = thread(found.number, limit=limit)
    return {
        "thread": texts,
        "texts": limit,
        "more_texts": min(4 * limit, MOST_TEXTS) if len(texts) == limit < MOST_TEXTS else None,
    }


def _standing(request: TenantRequest, found: Conversation) -> dict[str, object]:
    """Whether the person may be texted now, and why or why not."""
    decision = why_or_why_not(tenant=request.tenant, number=found.number, purpose=Purpose.SUPPORT)
    return {
        "may_text": decision.outcome == ALLOW,
        "wrote_to_us": bool(decision.data.get("wrote_to_us")),
        "opt_in_helps": decision.rule == "person_agreed",
        "why_not": "" if decision.outcome == ALLOW else decision_reason(decision.as_json()),
        "suppression": Suppression.objects.filter(number=found.number, lifted_at=None).first(),
    }


def _person(tenant: Tenant, found: Conversation) -> dict[str, object]:
    contact = Contact.objects.by_number(found.number).first()
    return {
        "contact": contact,
        "zone": contact.known_zone(business=tenant.timezone) if contact else None,
        "consent": ConsentState.objects.filter(number=found.number).select_related("record").order_by("purpose"),
    }


def _number(request: TenantRequest, name: str, default: int, most: int) -> int:
    text = request.GET.get(name, "")
    return max(1, min(int(text), most)) if text.isascii() and text.isdigit() and len(text) < 7 else default
