"""How far campaigns are, read from the tallies of their batches; and moving them on when it is time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.outcomes import OUTCOMES, of_unplanned
from common.retries import each
from messaging.models import Batch, Message
from tenants.scope import all_tenants, tenant_scope

__all__ = ["Progress", "complete_finished", "due_to_launch", "launch_due", "progress_of", "to_plan"]

_HANDED_OVER = (
    Message.Status.ACCEPTED,
    Message.Status.SENT,
    Message.Status.DELIVERED,
    Message.Status.UNDELIVERED,
    Message.Status.UNKNOWN,
    Message.Status.UNCONFIRMED,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """Recipients of a campaign by what happened to them; the counts of all outcomes add up to the audience."""

    audience: int
    by_status: Counter[str]
    part_count: int
    unplanned_as: str = "waiting"
    """The outcome that those without a message have."""

    @property
    def planned(self) -> int:
        return sum(self.by_status.values())

    def count(self, outcome: str) -> int:
        """Recipients with one of ``outcomes.OUTCOMES``."""
        counted = sum(self.by_status[status] for status in OUTCOMES[outcome].statuses)
        return counted + self.audience - self.planned if outcome == self.unplanned_as else counted

    @property
    def waiting(self) -> int:
        return self.count("waiting")

    @property
    def handed_over(self) -> int:
        return sum(self.by_status[status] for status in _HANDED_OVER)

    @property
    def done(self) -> int:
        """Recipients who have their outcome, or whose text is with the provider."""
        return self.audience - self.waiting

    @property
    def delivered(self) -> int:
        return self.count("delivered")

    @property
    def blocked(self) -> int:
        return self.count("blocked")

    @property
    def not_delivered(self) -> int:
        return self.count("not_delivered")

    @property
    def stopped(self) -> int:
        return self.count("stopped")

    @property
    def outcomes(self) -> list[tuple[str, str, int]]:
        """Key, label and count of each outcome, for reading."""
        return [(key, outcome.label, self.count(key)) for key, outcome in OUTCOMES.items()]

    @property
    def percent(self) -> int:
        """How much of the audience has its outcome, or is with the provider."""
        return 100 * self.done // self.audience if self.audience else 0


def progress_of(campaigns: Iterable[Campaign]) -> dict[UUID, Progress]:
    """The progress of each campaign, in one query."""
    wanted = {campaign.id: campaign for campaign in campaigns}
    tallies: dict[UUID, Counter[str]] = {campaign_id: Counter() for campaign_id in wanted}
    parts: Counter[UUID] = Counter()
    rows = Batch.objects.filter(cause_id__in=wanted).values_list("cause_id", "tally", "part_count")
    for cause_id, tally, part_count in rows:
        if cause_id is not None:
            tallies[cause_id].update(tally)
            parts[cause_id] += part_count
    return {
        campaign_id: Progress(
            # The campaign was read before its batches: messages may have come in between.
            max(campaign.audience_count, sum(tallies[campaign_id].values())),
            tallies[campaign_id],
            parts[campaign_id],
            of_unplanned(campaign),
        )
        for campaign_id, campaign in wanted.items()
    }


def due_to_launch() -> list[tuple[UUID, UUID]]:
    """Scheduled campaigns whose time has come: (tenant, campaign)."""
    with all_tenants("find campaigns to launch"):
        due = Campaign.objects.filter(status=Campaign.Status.SCHEDULED, scheduled_at__lte=Now())
        return list(due.values_list("tenant_id", "id")[:100])


def launch_due(tenant_id: UUID, campaign_id: UUID) -> None:
    """Start a scheduled campaign; a second call finds it started."""
    with tenant_scope(tenant_id):
        Campaign.objects.filter(id=campaign_id, status=Campaign.Status.SCHEDULED).update(
            status=Campaign.Status.LAUNCHING, launched_at=timezone.now()
        )


def to_plan() -> list[tuple[UUID, UUID]]:
    """Launched campaigns that are not wholly planned, without those whose planning failed a moment ago."""
    with all_tenants("find campaigns to plan"):
        due = Q(plan_again_at=None) | Q(plan_again_at__lte=Now())
        rows = Campaign.objects.filter(Campaign.TO_PLAN, due).order_by("launched_at")
        return list(rows.values_list("tenant_id", "id")[:100])


def complete_finished() -> None:
    """Mark campaigns as completed whose every recipient has been handed over or has a reason."""
    with all_tenants("find campaigns to complete"):
        sending = list(Campaign.objects.filter(status=Campaign.Status.SENDING).values_list("tenant_id", "id"))
        # Also a batch whose worker is thought dead: what that worker could not hand over comes back to the queue.
        unfinished = Q(state__in=[Batch.State.QUEUED, Batch.State.LEASED]) | Q(tally__has_key="submitting")
        tenants, causes = {tenant_id for tenant_id, _ in sending}, [campaign_id for _, campaign_id in sending]
        open_causes = set(
            Batch.objects.filter(unfinished, tenant_id__in=tenants, cause_id__in=causes)
            .order_by()
            .values_list("cause_id", flat=True)
            .distinct()
        )
    finished = [(tenant_id, campaign_id) for tenant_id, campaign_id in sending if campaign_id not in open_causes]
    each(finished, lambda found: _complete(*found), doing="complete a campaign")


def _complete(tenant_id: UUID, campaign_id: UUID) -> None:
    with tenant_scope(tenant_id):
        Campaign.objects.filter(id=campaign_id, status=Campaign.Status.SENDING).update(
            status=Campaign.Status.COMPLETED, finished_at=timezone.now()
        )
