"""What a month's texts cost: counted where they are handed over, and kept to the tenant's limit.

The cost of a part is what the tenant entered (``PartPrice``); without it parts are counted and nothing is limited. What a
provider refused after it was offered stays counted: a limit is there to be safe.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from common.clock import database_now
from common.ids import uuid7
from consent.decision import ANSWERS_TO_KEYWORDS, EMERGENCY
from messaging.models import MonthSpend, PartPrice, SpendLimit
from messaging.models.spending import SHARES
from tenants.models import Tenant
from tenants.scope import current_tenant_id

__all__ = ["Spending", "count_parts", "first_of_month", "parts_left", "spent_in"]

_COUNT: Final = """
INSERT INTO messaging_monthspend AS m (tenant_id, id, month, share, parts, micros)
VALUES (%(tenant)s, %(id)s, %(month)s, %(share)s, %(parts)s, %(parts)s * coalesce(
    (SELECT micros FROM messaging_partprice WHERE tenant_id = %(tenant)s), 0))
ON CONFLICT (tenant_id, month, share)
DO UPDATE SET parts = m.parts + excluded.parts, micros = m.micros + excluded.micros
"""


class Spending:
    """The limit of one tenant's month, followed through a batch; none where the tenant has set none."""

    def __init__(self, tenant: Tenant, *, exemption: str, lock: bool) -> None:
        """``lock`` keeps other batches of the tenant from counting until this transaction ends, or two would share the
        rest. It is taken after the lock of ``messaging.pipeline.frequency``, always."""
        goes_anyhow = exemption in ANSWERS_TO_KEYWORDS or exemption == EMERGENCY
        limit = None if goes_anyhow else SpendLimit.objects.values_list("micros", flat=True).first()
        price = PartPrice.objects.first() if limit else None
        self.limit = limit if price else None
        if self.limit is None or price is None:
            return
        if lock:
            _one_batch_at_a_time()
        self.price = price
        self.spent = spent_in(first_of_month(tenant, database_now()))[1]

    def beyond(self, parts: int) -> Mapping[str, object]:
        """The limit that a text of so many parts goes beyond, as stored with the decision; empty: none."""
        if self.limit is None or self.spent + parts * self.price.micros <= self.limit:
            return {}
        return {"limit_micros": self.limit, "spent_micros": self.spent, "currency": self.price.currency}

    def note(self, parts: int) -> None:
        """A text of so many parts goes."""
        if self.limit is not None:
            self.spent += parts * self.price.micros


def parts_left(tenant: Tenant) -> int | None:
    """How many parts the rest of the month's limit pays for; None: there is no limit."""
    spending = Spending(tenant, exemption="", lock=False)
    if spending.limit is None:
        return None
    return max(0, spending.limit - spending.spent) // spending.price.micros


def count_parts(tenant: Tenant, batch_id: UUID, parts: int) -> None:
    """So many parts are handed over now, of a batch."""
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "id": uuid7(),
        "month": first_of_month(tenant, database_now()),
        "share": batch_id.int % SHARES,
        "parts": parts,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)


def spent_in(month: date) -> tuple[int, int]:
    """Parts handed over in the month, and what they cost in millionths."""
    found = MonthSpend.objects.filter(month=month).aggregate(parts=Sum("parts"), micros=Sum("micros"))
    return int(found["parts"] or 0), int(found["micros"] or 0)


def first_of_month(tenant: Tenant, at: datetime) -> date:
    """The first day of the month by the tenant's own calendar."""
    return at.astimezone(tenant.zone).date().replace(day=1)


def _one_batch_at_a_time() -> None:
    with connection.cursor() as cursor:
        key = f"spending:{current_tenant_id()}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 3))", [key])
