"""The locks of a campaign, held until the transaction ends.

Advisory locks rather than the row's: PostgreSQL hands them on in the order of asking, so that who pauses a campaign comes
between two pages of its planner, and counting an answer on the row waits for no page at all.
"""

from uuid import UUID

from django.db import connection

__all__ = ["become_planner", "hold"]


def hold(campaign_id: UUID) -> None:
    """Nobody else moves the campaign to another status or plans a page of it meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [f"campaign:{campaign_id}"])


def become_planner(campaign_id: UUID) -> bool:
    """Whether no other worker is planning the campaign; then none does meanwhile. Never waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 3))", [f"campaign:{campaign_id}"])
        (is_free,) = cursor.fetchone()
        return bool(is_free)
