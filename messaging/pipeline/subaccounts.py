"""Sub-accounts at Twilio follow their tenants; the platform's own account there is asked."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from django.conf import settings
from django.db import connection

from common.retries import each
from messaging.models import Subaccount
from messaging.pipeline import event_loop
from messaging.providers.twilio.subaccounts import CLOSED, ParentAccount, SubaccountAtTwilio
from tenants.models import Tenant
from tenants.scope import all_tenants, tenant_scope

__all__ = ["ask_parent", "is_configured", "match_subaccounts", "name_of"]

_NAME: Final = "smsplatform "

ResultT = TypeVar("ResultT")


def is_configured() -> bool:
    """Whether the platform has an account of its own there."""
    return bool(settings.TWILIO_PARENT_ACCOUNT_SID and settings.TWILIO_PARENT_AUTH_TOKEN)


def name_of(tenant: Tenant) -> str:
    """What a tenant's sub-account is called: Twilio allows 64 characters, and a business may be renamed."""
    return f"{_NAME}{tenant.id}"


def ask_parent(question: Callable[[ParentAccount], Awaitable[ResultT]]) -> ResultT:
    """Ask the platform's own account. Raises ``CouldNotAsk``."""
    if connection.in_atomic_block:
        raise RuntimeError("A provider must not be called inside a transaction.")

    async def go() -> ResultT:
        parent = ParentAccount(
            settings.TWILIO_PARENT_ACCOUNT_SID,
            settings.TWILIO_PARENT_AUTH_TOKEN,
            base_url=settings.TWILIO_API_BASE_URL,
        )
        try:
            return await question(parent)
        finally:
            await parent.close()

    return event_loop.run(go())


def match_subaccounts() -> None:
    """Suspend the sub-accounts of tenants that may not send, take up those that may again, close those of deleted ones."""
    if not is_configured():
        return
    with all_tenants("find sub-accounts that differ from their tenants"):
        rows = list(Subaccount.objects.select_related("tenant", "provider_account"))
    each(
        [row for row in rows if row.status != _wanted(row.tenant)], _match, doing="match a sub-account with its tenant"
    )
    each(_of_deleted_tenants(), _close, doing="close the sub-account of a deleted tenant")


def _match(row: Subaccount) -> None:
    wanted = _wanted(row.tenant)
    ask_parent(lambda parent: parent.set_status(row.provider_account.account_reference, wanted))
    with tenant_scope(row.tenant.id):
        Subaccount.objects.filter(id=row.id).update(status=wanted)


def _wanted(tenant: Tenant) -> str:
    return Subaccount.Status.ACTIVE if tenant.may_send else Subaccount.Status.SUSPENDED


def _of_deleted_tenants() -> list[SubaccountAtTwilio]:
    """Found by name: the tenant's own rows are gone. One that no tenant here has may be another installation's."""
    deleted = {f"{_NAME}{one}" for one in Tenant.objects.exclude(deleted_at=None).values_list("id", flat=True)}
    if not deleted:
        return []
    return [one for one in ask_parent(lambda parent: parent.all()) if one.name in deleted and one.status != CLOSED]


def _close(one: SubaccountAtTwilio) -> None:
    ask_parent(lambda parent: parent.set_status(one.sid, CLOSED))
