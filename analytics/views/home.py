"""Home: what needs me now, and how the last days went."""

from datetime import date, timedelta
from typing import Final

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.views.decorators.http import require_GET, require_POST

from analytics.figures import daily
from analytics.first_steps import first_steps
from analytics.models import DailyFigure
from campaigns.models import Campaign
from campaigns.progress import Progress, progress_of
from common.charts import Chart, Series
from common.pages import at_most
from common.statuses import Tone
from contacts.models import Contact
from messaging.models import ProviderAccount, Sender
from support.models import Conversation
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed
from tenants.services import hide_first_steps

__all__ = ["first_steps_hide", "home"]

_DAYS: Final = 30
_SHOWN: Final = 5
_MOST_STOPPED: Final = 10
COUNTED_UP_TO: Final = 99
_JUST_FINISHED: Final = timedelta(hours=1)
"""So long a finished campaign stays on Home: whoever watched it sees how it ended."""

_MOVING: Final = frozenset({Campaign.Status.LAUNCHING, Campaign.Status.SENDING})
_LINKS: Final = {
    DailyFigure.Metric.SENT: ("campaigns", ""),
    DailyFigure.Metric.DELIVERED: ("campaigns", ""),
    DailyFigure.Metric.REPLIES: ("inbox", ""),
    DailyFigure.Metric.OPT_OUTS: ("contacts", "?consent=opt_out"),
}

_TONES: Final[dict[DailyFigure.Metric, Tone]] = {
    DailyFigure.Metric.SENT: "primary",
    DailyFigure.Metric.DELIVERED: "good",
    DailyFigure.Metric.REPLIES: "info",
    DailyFigure.Metric.OPT_OUTS: "bad",
}


@tenant_view(Permission.VIEW, restricted_too=True)
@require_GET
def home(request: TenantRequest) -> HttpResponse:
    """Unanswered conversations, running campaigns, figures of 7 and 30 days. ``?part=running`` answers the polling."""
    if request.membership.is_restricted:
        return TemplateResponse(request, "analytics/home.html", _restricted_home(request))
    if request.htmx and request.GET.get("part") == "running":
        return TemplateResponse(request, "analytics/_running.html", _running())
    figures = [_figure(metric, days) for metric, days in _daily(request)]
    has_contacts = Contact.objects.exists()
    has_figures = any(figure["month"] for figure in figures)
    steps = first_steps(request.membership)
    context = {
        **_running(),
        **_waiting(),
        "first_steps": steps,
        "next_step": next((step for step in steps if not step.done), None),
        "first_name": next(iter(request.user.name.split()), ""),
        "is_new": not has_contacts and not has_figures,
        "has_contacts": has_contacts,
        "has_sender": Sender.objects.filter(
            status=Sender.Status.ACTIVE, provider_account__status=ProviderAccount.Status.ACTIVE
        ).exists(),
        "stopped": _stopped(),
        "has_campaigns": Campaign.objects.exists(),
        "figures": figures,
        "has_figures": has_figures,
        "may_import": allowed(request.membership.role, Permission.IMPORT_CONTACTS),
        "may_campaign": allowed(request.membership.role, Permission.MANAGE_CAMPAIGNS),
        "may_settings": allowed(request.membership.role, Permission.MANAGE_SETTINGS),
    }
    return TemplateResponse(request, "analytics/home.html", context)


def _stopped() -> list[str]:
    """The senders and accounts that the provider refuses."""
    refused = [
        each
        for model in (ProviderAccount, Sender)
        for each in model.objects.filter(status=model.Status.PAUSED).exclude(trouble="")[:_MOST_STOPPED]
    ]
    return [str(each) for each in refused]


def _restricted_home(request: TenantRequest) -> dict[str, object]:
    """Home of a member who sees only assigned conversations: these, and no figures of everybody."""
    return {**_waiting(), "first_name": next(iter(request.user.name.split()), ""), "has_sender": True}


@tenant_view(Permission.VIEW, restricted_too=True)
@require_POST
def first_steps_hide(request: TenantRequest) -> HttpResponse:
    """The member does not want to see the list any more."""
    hide_first_steps(membership=request.membership)
    return redirect("home")


def _waiting() -> dict[str, object]:
    """Conversations that wait for a person; one that may be an opt-out stands only among those to review."""
    unread = Conversation.objects.filter(unread_count__gt=0, needs_review=False)
    review = Conversation.objects.filter(needs_review=True)
    return {
        "waiting": _with_age(unread),
        "waiting_count": at_most(unread, COUNTED_UP_TO),
        "to_review": _with_age(review),
        "to_review_count": at_most(review, COUNTED_UP_TO),
        "counted_up_to": COUNTED_UP_TO,
    }


def _with_age(conversations: QuerySet[Conversation]) -> list[tuple[Conversation, str]]:
    """The newest ones, each with how long ago the last text was: "3 hours"."""
    newest = conversations.select_related("contact").order_by("-last_at")[:_SHOWN]
    return [(conversation, timesince(conversation.last_at, depth=1)) for conversation in newest]


def _running() -> dict[str, object]:
    """Campaigns at work, next ones, just finished ones, and after how many seconds to look again (0: not at all)."""
    at_work = Campaign.objects.filter(status__in=Campaign.RUNNING).order_by("-id")[:_SHOWN]
    next_up = Campaign.objects.filter(status=Campaign.Status.SCHEDULED).order_by("scheduled_at")[:_SHOWN]
    finished = Campaign.objects.filter(
        status=Campaign.Status.COMPLETED, finished_at__gte=timezone.now() - _JUST_FINISHED
    ).order_by("-finished_at")[:_SHOWN]
    shown = [*at_work, *next_up, *finished][:_SHOWN]
    progress = progress_of(shown)
    rows = [(campaign, progress[campaign.id]) for campaign in shown]
    return {"running": rows, "every": min((_pace(*row) for row in rows if _pace(*row)), default=0)}


def _pace(campaign: Campaign, progress: Progress) -> int:
    """Seconds until this campaign may look different; 0 when it will not."""
    if campaign.status in _MOVING:
        return 2
    if campaign.status != Campaign.Status.COMPLETED:
        return 15
    # Handed over is not yet delivered: the receipts come in for a while.
    return 5 if progress.count("on_the_way") else 0


def _daily(request: TenantRequest) -> list[tuple[DailyFigure.Metric, list[tuple[date, int]]]]:
    figures = daily(request.tenant, days=_DAYS)
    return [(metric, figures[metric]) for metric in DailyFigure.Metric]


def _figure(metric: DailyFigure.Metric, days: list[tuple[date, int]]) -> dict[str, object]:
    """One tile: the last 7 days against the 7 before, and a chart of 30."""
    values = [value for _, value in days]
    week, before = sum(values[-7:]), sum(values[-14:-7])
    page, query = _LINKS[metric]
    return {
        "metric": metric.value,
        "label": metric.label,
        "week": week,
        "month": sum(values),
        "difference": week - before,
        "trend": _trend(week, before),
        "url": f"{reverse(page)}{query}",
        "chart": Chart(
            title=f"Last {_DAYS} days: {sum(values):,} {metric.label.lower()}",
            labels=[f"{day:%b} {day.day}" for day, _ in days],
            series=[Series(metric.label, values, _TONES[metric])],
        ),
    }


def _trend(week: int, before: int) -> str:
    if week == before:
        return "As many as the week before"
    return f"{abs(week - before):,} {'more' if week > before else 'fewer'} than the week before"
