"""Background work of campaigns."""

from uuid import UUID

from celery import shared_task

from campaigns.launch import plan_campaign
from campaigns.progress import complete_finished, due_to_launch, launch_due, to_plan

__all__ = ["plan", "run_due"]


@shared_task(name="campaigns.plan")
def plan(tenant_id: str, campaign_id: str) -> None:
    """Plan one launched campaign."""
    plan_campaign(UUID(tenant_id), UUID(campaign_id))


@shared_task(name="campaigns.run_due")
def run_due() -> None:
    """Launch what is due, go on with plans whose worker died, and complete what is finished."""
    for tenant_id, campaign_id in due_to_launch():
        launch_due(tenant_id, campaign_id)
    for tenant_id, campaign_id in to_plan():
        plan_campaign(tenant_id, campaign_id)
    complete_finished()
