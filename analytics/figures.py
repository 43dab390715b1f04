"""The figures by day: counted in the background, read by pages."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from analytics.models import DailyFigure
from common.retries import each
from tenants.models import Tenant
from tenants.scope import tenant_scope

__all__ = ["DAYS_RECOUNTED", "daily", "refresh_all", "refresh_tenant"]

DAYS_RECOUNTED: Final = 2
"""Receipts come up to a day later; older days no longer change."""

_RECOUNT: Final = """
INSERT INTO analytics_dailyfigure (id, tenant_id, day, metric, value)
SELECT gen_random_uuid(), %(tenant)s, day, metric, sum(n) FROM (
    SELECT (b.created_at AT TIME ZONE %(zone)s)::date AS day, 'sent' AS metric, sum(t.value::int) AS n
    FROM messaging_batch b CROSS JOIN LATERAL jsonb_each_text(b.tally) t
    WHERE b.tenant_id = %(tenant)s AND b.created_at >= %(since)s
      AND t.key IN ('accepted', 'sent', 'delivered', 'undelivered', 'unknown', 'unconfirmed')
    GROUP BY 1
    UNION ALL
    SELECT (b.created_at AT TIME ZONE %(zone)s)::date, 'delivered', sum((b.tally ->> 'delivered')::int)
    FROM messaging_batch b
    WHERE b.tenant_id = %(tenant)s AND b.created_at >= %(since)s AND b.tally ? 'delivered'
    GROUP BY 1
    UNION ALL
    SELECT (i.received_at AT TIME ZONE %(zone)s)::date, 'replies', count(*)
    FROM messaging_inboundmessage i
    WHERE i.tenant_id = %(tenant)s AND i.received_at >= %(since)s AND i.intent = 'other'
    GROUP BY 1
    UNION ALL
    SELECT (s.since AT TIME ZONE %(zone)s)::date, 'opt_outs', count(*)
    FROM consent_suppression s
    WHERE s.tenant_id = %(tenant)s AND s.since >= %(since)s
    GROUP BY 1
) counted
GROUP BY day, metric
ON CONFLICT (tenant_id, day, metric) DO UPDATE SET value = excluded.value
"""


def refresh_all() -> None:
    """Recount the last days of every active tenant."""
    active = Tenant.objects.filter(status=Tenant.Status.ACTIVE)
    each(active, lambda tenant: refresh_tenant(tenant, days=DAYS_RECOUNTED), doing="recount a tenant's figures")


def refresh_tenant(tenant: Tenant, *, days: int) -> None:
    """Recount the last ``days`` days of one tenant, by its own calendar."""
    zone = ZoneInfo(tenant.timezone)
    first = timezone.now().astimezone(zone).date() - timedelta(days=days - 1)
    since = datetime.combine(first, datetime.min.time(), tzinfo=zone)
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        cursor.execute(_RECOUNT, {"tenant": tenant.id, "zone": tenant.timezone, "since": since})


def daily(tenant: Tenant, *, days: int) -> dict[str, list[tuple[date, int]]]:
    """For each metric the last ``days`` days, today last; days without anything are zero."""
    today = timezone.now().astimezone(ZoneInfo(tenant.timezone)).date()
    span = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    rows = DailyFigure.objects.filter(day__gte=span[0]).values_list("metric", "day", "value")
    known = {(metric, day): value for metric, day, value in rows}
    return {metric: [(day, known.get((metric, day), 0)) for day in span] for metric in DailyFigure.Metric.values}
