"""Calls that may still begin: their attempts are committed, and the fence has not passed."""

from collections.abc import Collection
from typing import Final

from django.db import connection

from messaging.pipeline.handover import FENCE_SECONDS
from tenants.scope import current_tenant_id

__all__ = ["any_to"]

_ANY: Final = """
SELECT EXISTS (
    SELECT FROM messaging_message m
    JOIN messaging_attempt a ON a.tenant_id = m.tenant_id AND a.message_id = m.id
    WHERE m.tenant_id = %(tenant)s AND m.number = ANY(%(numbers)s::text[]) AND m.status = 'submitting'
      AND a.state = 'submitting' AND a.created_at > clock_timestamp() - make_interval(secs => %(fence)s)
)
"""


def any_to(numbers: Collection[str]) -> bool:
    """Whether a call to one of the numbers may be under way, or begin: whose answer is written down is over, and whose
    intent is older than the fence is never made."""
    with connection.cursor() as cursor:
        cursor.execute(_ANY, {"tenant": current_tenant_id(), "numbers": list(numbers), "fence": FENCE_SECONDS})
        return bool(cursor.fetchone()[0])
