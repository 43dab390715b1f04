"""Delivery receipts that wait in the journal are applied to their messages, beside one row at a time, in one run.

Each message has two receipts ("sent" and "delivered"), as at the provider. The baseline does what a callback view without a
journal does: it reads the message and saves it.
"""

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.stack import costs, line

__all__ = ["run"]

RECEIPTS: Final = int(os.environ.get("BENCH_RECEIPTS", "100000"))
NAIVE_RECEIPTS: Final = 2_000

_ACCEPTED: Final = """
WITH handed AS (
    UPDATE messaging_message SET status = 'accepted', status_at = now() WHERE tenant_id = %(tenant)s AND status = 'queued'
    RETURNING id
)
INSERT INTO messaging_attempt (id, tenant_id, message_id, n, state, provider_account_id, provider_message_id, error_code,
                               created_at, deadline, resolved_at)
SELECT gen_random_uuid(), %(tenant)s, id, 1, 'accepted', %(account)s, 'SM' || md5(id::text), '', now(), now(), now() FROM handed
"""
_RECEIPTS: Final = """
INSERT INTO messaging_deliveryreceipt (id, tenant_id, provider_account_id, attempt_id, provider_message_id, provider_status,
                                       status, number_opted_out, stops, error_code, payload, received_at)
SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint + row_number() OVER ()), 12, '0') || '7'
        || substr(md5(a.id::text || word), 1, 3) || '8' || substr(md5(a.id::text || word), 4, 15))::uuid,
       a.tenant_id, a.provider_account_id, a.id, a.provider_message_id, word, word, false, '', '', '{}', now()
FROM messaging_attempt a, unnest(ARRAY['sent', 'delivered']) AS word
WHERE a.tenant_id = %(tenant)s
"""


def run() -> Iterator[Mapping[str, Any]]:
    """The baseline, then the journal with its ratio to it."""
    company = _company_with_receipts()
    naive = _one_by_one(company)
    yield naive
    real = _apply(company)
    yield {**real, "baseline": naive["value"], "ratio": round(real["value"] / naive["value"], 1)}


def _apply(company: Any) -> dict[str, Any]:
    from messaging.models import Message
    from messaging.pipeline.receipt import apply_pending
    from tenants.scope import tenant_scope

    before, began = costs([os.getpid()]), time.monotonic()
    applied = apply_pending()
    seconds, spent = time.monotonic() - began, costs([os.getpid()]) - before
    with tenant_scope(company.tenant.id):
        delivered = Message.objects.filter(status="delivered").count()
    return {**line("receipts applied, one process", "receipts/s", applied, seconds, spent), "delivered": delivered}


def _one_by_one(company: Any) -> dict[str, Any]:
    from messaging.models import Attempt, Message
    from tenants.scope import tenant_scope

    with tenant_scope(company.tenant.id):
        ids = list(Attempt.objects.values_list("provider_message_id", flat=True)[: NAIVE_RECEIPTS // 2])
    before, began = costs([os.getpid()]), time.monotonic()
    for status in ("sent", "accepted"):
        for provider_message_id in ids:
            with tenant_scope(company.tenant.id):
                attempt = Attempt.objects.select_related("message").get(provider_message_id=provider_message_id)
                Message.objects.filter(id=attempt.message_id).update(status=status)
    seconds, spent = time.monotonic() - began, costs([os.getpid()]) - before
    return line("receipts, one row at a time", "receipts/s", 2 * len(ids), seconds, spent)


def _company_with_receipts() -> Any:
    from django.db import connection

    from benchmarks.audience import company_with_audience, launch_campaign
    from campaigns.launch import plan_campaign
    from common.planner import refresh_statistics
    from messaging.models import Attempt, DeliveryReceipt, Message, ProviderAccount
    from tenants.scope import tenant_scope

    company = company_with_audience(RECEIPTS // 2)
    plan_campaign(company.tenant.id, launch_campaign(company))
    with tenant_scope(company.tenant.id), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '600s'")
        account = ProviderAccount.objects.get(kind="twilio")
        for sql in (_ACCEPTED, _RECEIPTS):
            cursor.execute(sql, {"tenant": company.tenant.id, "account": account.id})
    refresh_statistics(Message, Attempt, DeliveryReceipt)
    return company
