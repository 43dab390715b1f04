"""Background work of campaigns."""

from typing import Final
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from campaigns.launch import take_turn
from campaigns.progress import complete_finished, due_to_launch, launch_due, to_plan
from common.hints import lapsing
from common.retries import each

__all__ = ["plan", "run_due"]

HINT_SECONDS: Final = 10
"""A hint that found no free worker for so long has been overtaken by the next tick's."""


@shared_task(name="campaigns.plan")
def plan(tenant_id: str, campaign_id: str) -> None:
    """Plan one launched campaign for a while; what is left has its turn after the work that waits by then."""
    if take_turn(UUID(tenant_id), UUID(campaign_id)):
        _hint(UUID(tenant_id), UUID(campaign_id))


@shared_task(name="campaigns.run_due")
def run_due() -> None:
    """Launch what is due, go on with plans whose worker died, and complete what is finished.

    Nothing here takes long while hints can be sent, and what fails keeps nothing else from its turn.
    """
    each([_launch_all_due, _hint_plans, complete_finished], lambda job: job(), doing="look after campaigns")


def _launch_all_due() -> None:
    each(due_to_launch(), lambda found: launch_due(*found), doing="start a scheduled campaign")


def _hint_plans() -> None:
    each(to_plan(), lambda found: _hint(*found), doing="ask for a campaign to be planned")


def _hint(tenant_id: UUID, campaign_id: UUID) -> None:
    try:
        _send_hint(tenant_id, campaign_id)
    except OperationalError:
        # The broker is away: nobody else would be told.
        take_turn(tenant_id, campaign_id)


def _send_hint(tenant_id: UUID, campaign_id: UUID) -> None:
    plan.apply_async(
        args=(str(tenant_id), str(campaign_id)), headers=lapsing(HINT_SECONDS), ignore_result=True, retry=False
    )
