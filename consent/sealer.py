"""One tick of the sealer, over all tenants for which something waits."""

import time
from typing import Final
from uuid import UUID

from common.retries import each
from consent.models import PendingSeal
from consent.sealing import seal, try_lock_log
from tenants.scope import all_tenants, tenant_scope

__all__ = ["seal_everything"]

WORK_SECONDS: Final = 20.0
"""How long one tick works on a tenant; the next one goes on."""


def seal_everything() -> None:
    """Seal what waits; a tenant that somebody else seals is left to them."""
    with all_tenants("consent records that are not sealed"):
        tenant_ids = list(PendingSeal.objects.order_by("tenant_id").values_list("tenant_id", flat=True).distinct())
    each(tenant_ids, _seal, doing="seal consent records")


def _seal(tenant_id: UUID) -> None:
    until = time.monotonic() + WORK_SECONDS
    while time.monotonic() < until:
        with tenant_scope(tenant_id, durable=True):
            if not try_lock_log() or seal() is None:
                return
