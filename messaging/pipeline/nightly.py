"""Each day's texts are compared with the providers' records on the next day."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from common.retries import each
from messaging.models import ProviderAccount, RecordComparison
from messaging.pipeline import comparison
from tenants.scope import all_tenants, tenant_scope

__all__ = ["compare_yesterday"]

REST: Final = timedelta(hours=2)
"""So long after midnight (UTC) the day is compared: by then its last texts have their receipts."""


def compare_yesterday() -> None:
    """Compare what has not been compared yet; a provider that cannot be asked is asked again by the next round."""
    now = timezone.now()
    midnight = datetime.combine((now - REST).astimezone(UTC).date(), datetime.min.time(), UTC)
    with all_tenants("find accounts to compare"):
        active = ProviderAccount.objects.filter(status=ProviderAccount.Status.ACTIVE, created_at__lt=midnight)
        accounts = list(active.values_list("tenant_id", "id"))
    each(accounts, lambda one: _compare(*one, midnight), doing="compare an account with its provider's record")


def _compare(tenant_id: UUID, account_id: UUID, midnight: datetime) -> None:
    with tenant_scope(tenant_id):
        row, _ = RecordComparison.objects.get_or_create(
            provider_account_id=account_id,
            cause=RecordComparison.Cause.NIGHTLY,
            since=midnight - timedelta(days=1),
            defaults={"until": midnight},
        )
    if row.finished_at is None:
        comparison.compare(tenant_id, row)
