"""What can be done with campaigns."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from campaigns import locks
from campaigns.audited import audience_names, record_draft
from campaigns.models import AudienceChoice, Campaign
from campaigns.recipients import audience_of, version_of
from campaigns.tasks import plan
from common.tasks import enqueue_on_commit
from consent.purpose_rules import has_footer
from consent.purposes import Purpose
from contacts.audience import members
from contacts.models import ContactFilter, ContactList, Tag
from messaging.merge_tags import problems
from messaging.services import cancel_batches, hold_batches
from messaging.services.sending import MAX_BODY
from tenants.audit import record

__all__ = [
    "Changed",
    "MovedOn",
    "cancel",
    "choose_audience",
    "launch",
    "pause",
    "resume",
    "save_draft",
    "schedule",
    "unschedule",
]

_Status = Campaign.Status
SHORTEST_REASON: Final = 15
LATEST_START: Final = timedelta(days=366)
_WRITTEN: Final = ("name", "purpose", "body", "stop_footer", "sender", "pool")


class MovedOn(ValidationError):
    """The campaign is in no status any more in which this can be done: usually somebody else was faster."""

    def __init__(self, status: str, *, was_draft: bool) -> None:
        if was_draft:
            done = {_Status.SCHEDULED: "scheduled", _Status.CANCELLED: "cancelled"}.get(_Status(status), "started")
            super().__init__(f"This campaign was {done} meanwhile.")
        else:
            label = "a draft" if status == _Status.DRAFT else _Status(status).label.lower()
            super().__init__(f"This is not possible while the campaign is {label}.")


class Changed(ValidationError):
    """The draft is not what the person who wants to send it has looked at."""

    def __init__(self) -> None:
        super().__init__("Somebody changed this campaign while you looked at it.")


def save_draft(*, campaign: Campaign, known_tags: Collection[str]) -> Campaign:
    """Create or change a draft; raises ``ValidationError`` by field, ``MovedOn`` when it is no draft any more."""
    is_new = campaign._state.adding
    if not is_new:
        _lock(campaign, _Status.DRAFT)
    campaign.name = campaign.name.strip()
    campaign.stop_footer = has_footer(campaign.purpose, chosen=campaign.stop_footer)
    found = problems(campaign.body, known_tags)
    if found:
        raise ValidationError({"body": found})
    _require_sendable_length(campaign)
    checked = {"name", "purpose", "body", "stop_footer"}
    campaign.clean_fields(exclude={field.name for field in Campaign._meta.fields} - checked)
    # What else is known of the campaign here was read earlier, and may be old by now.
    known = None if is_new else Campaign.objects.select_related("sender", "pool").get(id=campaign.id)
    campaign.save(update_fields=None if is_new else _WRITTEN)
    record_draft(known, campaign)
    return campaign


@transaction.atomic
def choose_audience(
    *,
    campaign: Campaign,
    lists: Collection[ContactList],
    tags: Collection[Tag],
    excluded_lists: Collection[ContactList] = (),
    excluded_tags: Collection[Tag] = (),
    filters: Collection[ContactFilter] = (),
    excluded_filters: Collection[ContactFilter] = (),
    everyone: bool = False,
) -> None:
    """Say who a draft is for."""
    _lock(campaign, _Status.DRAFT)
    included = {one.id for one in (*lists, *tags, *filters)}
    if included & {one.id for one in (*excluded_lists, *excluded_tags, *excluded_filters)}:
        raise ValidationError("A list, tag or filter cannot be included and excluded at once.")
    before = audience_names(Campaign.objects.get(id=campaign.id))
    campaign.everyone = everyone
    campaign.save(update_fields=["everyone"])
    AudienceChoice.objects.filter(campaign=campaign).delete()
    choices = [AudienceChoice(campaign=campaign, contact_list=one, excluded=True) for one in excluded_lists]
    choices += [AudienceChoice(campaign=campaign, tag=one, excluded=True) for one in excluded_tags]
    choices += [AudienceChoice(campaign=campaign, contact_filter=one, excluded=True) for one in excluded_filters]
    if not everyone:
        choices += [AudienceChoice(campaign=campaign, contact_filter=one) for one in filters]
        choices += [AudienceChoice(campaign=campaign, contact_list=one) for one in lists]
        choices += [AudienceChoice(campaign=campaign, tag=one) for one in tags]
    AudienceChoice.objects.bulk_create(choices)
    after = audience_names(campaign)
    if before != after:
        record("campaign.audience_chosen", target=campaign, before=before, after=after)


def schedule(*, campaign: Campaign, at: datetime, seen: str = "", spread_hours: int = 0) -> None:
    """Launch a draft at a later time, spread as by ``launch``. ``seen``: the ``version_of`` it that was looked at; raises ``Changed``."""
    _lock_anew(campaign, _Status.DRAFT)
    _follow_rules(campaign)
    _require_seen(campaign, seen)
    _require_complete(campaign)
    if at <= timezone.now():
        raise ValidationError({"scheduled_at": "Choose a time in the future, or send it now."})
    if at > timezone.now() + LATEST_START:
        raise ValidationError({"scheduled_at": "Choose a time within a year from now."})
    _require_spreadable(campaign, spread_hours)
    _save(campaign, status=_Status.SCHEDULED, scheduled_at=at, spread_hours=spread_hours)
    record("campaign.scheduled", target=campaign, after={"scheduled_at": at, **_spread(campaign)})


def unschedule(*, campaign: Campaign) -> None:
    """Make a scheduled campaign a draft again."""
    _lock_anew(campaign, _Status.SCHEDULED)
    before = campaign.scheduled_at
    _save(campaign, status=_Status.DRAFT, scheduled_at=None)
    record("campaign.unscheduled", target=campaign, before={"scheduled_at": before})


def launch(*, campaign: Campaign, seen: str = "", spread_hours: int = 0, emergency_reason: str = "") -> None:
    """Start now: from here on the audience is frozen, and each member gets a recorded outcome.

    ``seen``: the ``version_of`` the campaign that was looked at; raises ``Changed`` when it is another one by now.
    ``spread_hours``: over how many hours it is handed over at least. ``emergency_reason``: why it goes past hours and
    limits; who may say so is for the caller to know.
    """
    _lock_anew(campaign, _Status.DRAFT, _Status.SCHEDULED)
    _follow_rules(campaign)
    _require_seen(campaign, seen)
    _require_complete(campaign)
    _require_spreadable(campaign, spread_hours)
    reason = _emergency(campaign, emergency_reason)
    _save(
        campaign,
        status=_Status.LAUNCHING,
        launched_at=timezone.now(),
        spread_hours=spread_hours,
        emergency_reason=reason,
    )
    record(
        "campaign.launched", target=campaign, after={**_spread(campaign), **({"emergency": reason} if reason else {})}
    )
    _ask_to_plan(campaign)


def pause(*, campaign: Campaign) -> None:
    """Hold everything that has not been handed over yet; what is under way arrives."""
    _lock_anew(campaign, _Status.LAUNCHING, _Status.SENDING)
    _save(campaign, status=_Status.PAUSED)
    record("campaign.paused", target=campaign)
    hold_batches(cause_id=campaign.id, held=True)


def resume(*, campaign: Campaign) -> None:
    """Go on with a paused campaign."""
    _lock_anew(campaign, _Status.PAUSED)
    status = _Status.SENDING if campaign.planned_at else _Status.LAUNCHING
    _save(campaign, status=status, plan_failures=0, plan_again_at=None)
    record("campaign.resumed", target=campaign)
    hold_batches(cause_id=campaign.id, held=False)
    _ask_to_plan(campaign)


def cancel(*, campaign: Campaign) -> None:
    """End a campaign: whatever has not been handed over will never be, and each recipient's record says so."""
    _lock_anew(campaign, _Status.SCHEDULED, _Status.LAUNCHING, _Status.SENDING, _Status.PAUSED)
    _save(campaign, status=_Status.CANCELLED, finished_at=timezone.now(), plan_failures=0, plan_again_at=None)
    record("campaign.cancelled", target=campaign)
    hold_batches(cause_id=campaign.id, held=True)
    cancel_batches(cause_id=campaign.id)
    _ask_to_plan(campaign)


def _lock(campaign: Campaign, *statuses: str) -> None:
    """Hold the campaign until the transaction ends; raises ``MovedOn`` when its status is none of these.

    The status is read behind the lock: a person who is late, or a second click, finds what the first one did.
    """
    locks.hold(campaign.id)
    row = Campaign.objects.select_for_update(no_key=True).filter(id=campaign.id)
    campaign.status = row.values_list("status", flat=True).get()
    if campaign.status not in statuses:
        raise MovedOn(campaign.status, was_draft=_Status.DRAFT in statuses)


def _lock_anew(campaign: Campaign, *statuses: str) -> None:
    """The same, and what was read before the lock is forgotten."""
    _lock(campaign, *statuses)
    campaign.refresh_from_db()


def _save(campaign: Campaign, **changes: object) -> None:
    for name, value in changes.items():
        setattr(campaign, name, value)
    campaign.save(update_fields=changes)


def _ask_to_plan(campaign: Campaign) -> None:
    if campaign.waits_for_planning:
        enqueue_on_commit(plan, str(campaign.tenant_id), str(campaign.id))


def _follow_rules(campaign: Campaign) -> None:
    """The tenant may have changed its rule about footers since the draft was written."""
    wanted = has_footer(campaign.purpose, chosen=campaign.stop_footer)
    if wanted != campaign.stop_footer:
        _save(campaign, stop_footer=wanted)


def _require_seen(campaign: Campaign, seen: str) -> None:
    if seen and seen != version_of(campaign):
        raise Changed


def _require_complete(campaign: Campaign) -> None:
    if not campaign.body.strip():
        raise ValidationError({"body": "Write the text first."})
    _require_sendable_length(campaign)
    if not members(audience_of(campaign)).exists():
        raise ValidationError("Nobody is in the audience. Choose a list or a tag with contacts in it.")


def _require_spreadable(campaign: Campaign, hours: int) -> None:
    """Other texts than offers are good for hours only (``messaging.pipeline.attempts.GOOD_FOR``)."""
    if hours and campaign.purpose != Purpose.MARKETING:
        raise ValidationError({"spread_hours": "Only offers and news can be spread over hours."})


def _emergency(campaign: Campaign, reason: str) -> str:
    """The reason, tidied up; empty when there is none."""
    said = " ".join(reason.split())
    if said and campaign.purpose == Purpose.MARKETING:
        raise ValidationError({"emergency_reason": "An offer is no emergency."})
    if said and len(said) < SHORTEST_REASON:
        raise ValidationError({"emergency_reason": "Say what has happened, so that it can be understood years later."})
    return said


def _spread(campaign: Campaign) -> dict[str, int]:
    return {"spread_hours": campaign.spread_hours} if campaign.spread_hours else {}


def _require_sendable_length(campaign: Campaign) -> None:
    if len(campaign.first_text) > MAX_BODY:
        raise ValidationError(
            {
                "body": f"With your name and the way out, which a first text carries, it is longer than {MAX_BODY} characters."
            }
        )
