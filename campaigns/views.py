"""Campaigns: the list, the composer, the last look before launch, and the page of a running one."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campaigns import services
from campaigns.forms import ComposerForm
from campaigns.launch_form import LaunchForm
from campaigns.models import Campaign, CampaignRecipient
from campaigns.outcomes import OUTCOMES, with_outcome
from campaigns.pacing import expected_finish, finish_of
from campaigns.preview import forecast, preview_text
from campaigns.progress import Progress, progress_of
from campaigns.recipients import audience_of, version_of
from common.forms import add_errors
from common.pages import page_by_id
from common.search import number_digits, search_text
from consent.purpose_rules import footer_is_open, has_footer
from consent.purposes import Purpose
from contacts.audience import Audience
from contacts.models import ContactFilter, ContactList, Tag
from contacts.search import matching
from messaging.models import MessageTemplate
from messaging.offered_tags import known_tags, tag_buttons
from messaging.pipeline.spending import parts_left
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = [
    "campaign",
    "campaign_act",
    "campaign_edit",
    "campaign_new",
    "campaign_preview",
    "campaign_review",
    "campaigns",
]

CONFIRM_FROM: Final = 5_000
"""From so many people on, the count is typed to confirm."""

COUNTS_HOLD_SECONDS: Final = 60
"""While a text is written, its audience is not counted anew for each letter."""

RECEIPTS_FOLLOW_FOR: Final = timedelta(minutes=10)
"""So long after its end the page of a campaign still asks for delivery news."""

_ANSWERS: Final = (("replied", "Replied"), ("opted_out", "Opted out"))
_ACTIONS: Final = {
    "pause": (services.pause, "Paused. What is under way still arrives."),
    "resume": (services.resume, "Sending goes on."),
    "cancel": (services.cancel, "Cancelled. Whatever had not been handed over will not be sent."),
    "unschedule": (services.unschedule, "It is a draft again."),
}


@tenant_view(Permission.VIEW)
@require_GET
def campaigns(request: TenantRequest) -> HttpResponse:
    """All campaigns, newest first, with how far each one is."""
    rows = Campaign.objects.all()
    status, search = request.GET.get("status", ""), search_text(request)
    if status in Campaign.Status.values:
        rows = rows.filter(status=status)
    if search:
        rows = rows.filter(name__icontains=search)
    page = page_by_id(rows, request.GET.get("before"), size=25)
    progress = progress_of(page.rows)
    context = {
        "page": page,
        "rows": [(row, progress[row.id]) for row in page.rows],
        "q": search,
        "status": status,
        "statuses": Campaign.Status.choices,
        "running": any(row.status in (Campaign.Status.LAUNCHING, Campaign.Status.SENDING) for row in page.rows),
        "may_manage": _may_manage(request),
    }
    return TemplateResponse(request, "campaigns/campaign_list.html", context)


@tenant_view(Permission.MANAGE_CAMPAIGNS)
@require_http_methods(["GET", "POST"])
def campaign_new(request: TenantRequest) -> HttpResponse:
    """Write a campaign; ``?template=`` starts with a kept text, ``?list=``, ``?tag=``, ``?filter=`` with their people."""
    draft = Campaign(created_by=request.user)
    template = MessageTemplate.objects.filter(name=search_text(request, "template")).first()
    if template:
        draft.body = template.body
        if template.purpose in dict(Campaign._meta.get_field("purpose").flatchoices):
            draft.purpose = template.purpose
    named = Audience(
        lists=_ids(request, "list", ContactList),
        tags=_ids(request, "tag", Tag),
        filters=_ids(request, "filter", ContactFilter),
    )
    return _composer(request, draft, named)


def _ids(request: TenantRequest, parameter: str, model: type[ContactFilter | ContactList | Tag]) -> list[UUID]:
    """The list, tag or filter that the address names, if there is one."""
    try:
        return list(model.objects.filter(id=UUID(request.GET.get(parameter, ""))).values_list("id", flat=True))
    except ValueError:
        return []


@tenant_view(Permission.MANAGE_CAMPAIGNS)
@require_http_methods(["GET", "POST"])
def campaign_edit(request: TenantRequest, campaign_id: UUID) -> HttpResponse:
    """Go on writing a draft."""
    draft = get_object_or_404(Campaign, id=campaign_id)
    if draft.status != Campaign.Status.DRAFT and request.method == "GET":
        messages.info(request, "Only a draft can be changed.")
        return redirect("campaign", draft.id)
    return _composer(request, draft, audience_of(draft))


def _composer(request: TenantRequest, draft: Campaign, chosen: Audience) -> HttpResponse:
    is_new = draft._state.adding
    form = ComposerForm(request.POST if request.method == "POST" else None, instance=draft, audience=chosen)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                services.save_draft(campaign=form.instance, known_tags=known_tags())
                services.choose_audience(campaign=form.instance, **form.audience())
        except ValidationError as error:
            add_errors(form, error)
        else:
            return redirect("campaign_review", form.instance.id)
    shown = _preview(_as_typed(form), _audience_as_typed(form)) if form.is_bound else _preview(draft, chosen)
    context = {
        "form": form,
        "campaign": draft,
        "is_new": is_new,
        # Then what was typed can still become a campaign of its own.
        "has_moved_on": not is_new and draft.status != Campaign.Status.DRAFT,
        "footer_is_open": footer_is_open(),
        "tags": tag_buttons(),
        "templates": MessageTemplate.objects.order_by("name")[:50],
        **shown,
    }
    return TemplateResponse(request, "campaigns/campaign_composer.html", context, status=422 if form.errors else 200)


@tenant_view(Permission.MANAGE_CAMPAIGNS)
@require_POST
def campaign_preview(request: TenantRequest) -> HttpResponse:
    """The preview panel for what stands in the composer, while it is being written."""
    form = ComposerForm(request.POST, instance=Campaign())
    form.is_valid()
    context = _preview(_as_typed(form), _audience_as_typed(form))
    return TemplateResponse(request, "campaigns/_preview.html", context)


def _as_typed(form: ComposerForm) -> Campaign:
    """What stands in the form, also while it is not complete."""
    data = form.cleaned_data
    purpose = data.get("purpose") or "marketing"
    return Campaign(
        body=str(form["body"].value() or "")[:5000],
        stop_footer=has_footer(purpose, chosen=bool(data.get("stop_footer"))),
        purpose=purpose,
        sender=form.instance.sender,
        pool=form.instance.pool,
    )


def _audience_as_typed(form: ComposerForm) -> Audience:
    chosen = form.audience()
    ids = {name: [row.id for row in rows] for name, rows in chosen.items() if name != "everyone"}
    return Audience(everyone=chosen["everyone"], **ids)


def _preview(draft: Campaign, audience: Audience) -> dict[str, object]:
    return {
        "preview": preview_text(draft, audience),
        "forecast": forecast(draft, audience, remember_seconds=COUNTS_HOLD_SECONDS),
        "purpose": draft.get_purpose_display(),
    }


@tenant_view(Permission.MANAGE_CAMPAIGNS)
@require_http_methods(["GET", "POST"])
def campaign_review(request: TenantRequest, campaign_id: UUID) -> HttpResponse:
    """What will happen, then launch now or at a later time."""
    draft = get_object_or_404(Campaign.objects.select_related("tenant", "sender", "pool"), id=campaign_id)
    if draft.status != Campaign.Status.DRAFT:
        if request.method == "POST":
            _too_late(request, services.MovedOn(draft.status, was_draft=True))
        return redirect("campaign", draft.id)
    audience = audience_of(draft)
    expected = forecast(draft, audience)
    form = LaunchForm(
        request.POST if request.method == "POST" else None,
        zone=request.tenant.timezone,
        initial={"seen": version_of(draft)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            _launch(request, draft, form, expected.reachable)
        except services.MovedOn as error:
            _too_late(request, error)
            return redirect("campaign", draft.id)
        except services.Changed as error:
            messages.warning(request, f"{' '.join(error.messages)} It has not been sent. This is how it is now.")
            return redirect("campaign_review", draft.id)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return redirect("campaign", draft.id)
    preview = preview_text(draft, audience)
    context = {
        "campaign": draft,
        "form": form,
        "forecast": expected,
        "preview": preview,
        "parts_left": parts_left(request.tenant),
        "may_manage_settings": allowed(request.membership.role, Permission.MANAGE_SETTINGS),
        "parts_needed": expected.reachable * preview.measured.part_count,
        "finish": expected_finish(expected.route, expected.reachable * preview.measured.part_count),
        "may_send_emergency": _may_send_emergency(request, draft),
        "may_spread": draft.purpose == Purpose.MARKETING,
        "purpose": draft.get_purpose_display(),
        "must_confirm": expected.reachable >= CONFIRM_FROM,
    }
    return TemplateResponse(request, "campaigns/campaign_review.html", context, status=422 if form.errors else 200)


def _launch(request: TenantRequest, draft: Campaign, form: LaunchForm, people: int) -> None:
    data = form.cleaned_data
    if data["emergency_reason"] and not _may_send_emergency(request, draft):
        raise ValidationError(
            {"is_emergency": "Only owners and managers can send an emergency alert, and never an offer."}
        )
    if people >= CONFIRM_FROM and data["confirmed_count"] != people:
        raise ValidationError({"confirmed_count": f"Type {people:,} to confirm that so many people are meant."})
    if data["when"] == "now":
        services.launch(
            campaign=draft,
            seen=data["seen"],
            spread_hours=data["spread_hours"] or 0,
            emergency_reason=data["emergency_reason"],
        )
        messages.success(request, "The campaign has started.")
        return
    services.schedule(
        campaign=draft, at=data["scheduled_at"], seen=data["seen"], spread_hours=data["spread_hours"] or 0
    )
    messages.success(request, "The campaign is scheduled.")


def _may_send_emergency(request: TenantRequest, draft: Campaign) -> bool:
    return draft.purpose != Purpose.MARKETING and allowed(request.membership.role, Permission.SEND_EMERGENCY)


def _too_late(request: TenantRequest, error: services.MovedOn) -> None:
    messages.warning(request, f"{' '.join(error.messages)} Nothing more was done.")


@tenant_view(Permission.VIEW)
@require_GET
def campaign(request: TenantRequest, campaign_id: UUID) -> HttpResponse:
    """Progress, and every recipient with what happened and why."""
    found = get_object_or_404(Campaign.objects.select_related("sender", "pool", "created_by"), id=campaign_id)
    progress = progress_of([found])[found.id]
    running = found.status in (Campaign.Status.LAUNCHING, Campaign.Status.SENDING)
    context: dict[str, object] = {
        "campaign": found,
        "progress": progress,
        "finish": finish_of(found, progress),
        "is_running": running,
        "is_live": running or _will_move(found) or _awaits_receipts(found, progress),
        "may_manage": _may_manage(request),
    }
    if request.htmx and request.GET.get("part") == "progress":
        # The page says which status it shows; when that is no longer true, its head comes along.
        seen = request.GET.get("seen")
        context["has_moved"] = seen != found.status
        started = seen == Campaign.Status.SCHEDULED and found.launched_at
        headers = {"HX-Refresh": "true"} if started else {}
        return TemplateResponse(request, "campaigns/_progress.html", context, headers=headers)
    context |= {
        "page": page_by_id(_recipients(request, found), request.GET.get("after"), newest_first=False),
        "q": search_text(request),
        "status": request.GET.get("status", ""),
        "answer": request.GET.get("answer", ""),
        "statuses": [(key, outcome.label) for key, outcome in OUTCOMES.items()],
        "answers": _ANSWERS,
    }
    return TemplateResponse(request, "campaigns/campaign_detail.html", context)


def _will_move(found: Campaign) -> bool:
    """Whether its numbers change by themselves: what was under way when it was paused still goes out."""
    return found.status in (Campaign.Status.SCHEDULED, Campaign.Status.PAUSED) or found.waits_for_planning


def _awaits_receipts(found: Campaign, progress: Progress) -> bool:
    """Whether news of texts handed over is still likely to come in by itself."""
    lately = timezone.now() - RECEIPTS_FOLLOW_FOR
    return found.finished_at is not None and found.finished_at > lately and progress.count("on_the_way") > 0


def _recipients(request: TenantRequest, found: Campaign) -> QuerySet[CampaignRecipient]:
    """The recipients of a campaign that the filters of its page ask for."""
    rows = with_outcome(found, request.GET.get("status", "")).select_related("message", "contact")
    answer = request.GET.get("answer", "")
    if answer in dict(_ANSWERS):
        rows = rows.filter(**{f"{answer}_at__isnull": False})
    if search := search_text(request):
        digits = number_digits(search)
        people = matching(search, request.tenant.calling_codes)
        rows = rows.filter(Q(number__contains=digits) if digits else Q(contact_id__in=people))
    return rows


@tenant_view(Permission.MANAGE_CAMPAIGNS)
@require_POST
def campaign_act(request: TenantRequest, campaign_id: UUID, action: str) -> HttpResponse:
    """Pause, resume, cancel, or make a scheduled campaign a draft again."""
    found = get_object_or_404(Campaign, id=campaign_id)
    act, done = _ACTIONS[action]
    try:
        act(campaign=found)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, done)
    return redirect("campaign", found.id)


def _may_manage(request: TenantRequest) -> bool:
    return allowed(request.membership.role, Permission.MANAGE_CAMPAIGNS)
