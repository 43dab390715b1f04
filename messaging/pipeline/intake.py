"""Receipts as they come in: those of one tenant that come at the same time are verified and stored in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from common.group_commit import GroupCommit
from common.retries import insist
from messaging.models import ProviderAccount
from messaging.pipeline.handover import provider_for
from messaging.pipeline.receipt import store_all
from messaging.pipeline.service_numbers import learn_numbers
from messaging.providers.base import CallbackRefused, CallbackRequest, StatusUpdate
from tenants.scope import tenant_scope

__all__ = ["TAKE_SECONDS", "StatusCallback", "UnknownAccount", "take"]

TAKE_SECONDS: Final = 8.0
"""So long a callback is tried again when the database is away or two of them met: nobody repeats an inbound text that
was not taken, and Twilio waits 15 seconds for the answer."""


class UnknownAccount(Exception):
    """No account of this provider has this id."""


@dataclass(frozen=True, slots=True)
class StatusCallback:
    """A status callback as it came: the account and the attempt are named by its address."""

    kind: str
    account_id: UUID
    attempt_id: UUID | None
    request: CallbackRequest


def take(tenant_id: UUID, callback: StatusCallback) -> None:
    """Verify and store; committed when it returns. Raises ``CallbackRefused`` or ``UnknownAccount``."""
    _together.put(tenant_id, callback)


def _take_all(tenant_id: UUID, callbacks: Sequence[StatusCallback]) -> Sequence[Exception | None]:
    return insist(lambda: _verify_and_store(tenant_id, callbacks), seconds=TAKE_SECONDS)


def _verify_and_store(tenant_id: UUID, callbacks: Sequence[StatusCallback]) -> Sequence[Exception | None]:
    """The accounts are read anew each time: a token that was replaced or a deleted account vouches for nothing."""
    wrong: list[Exception | None] = []
    genuine: dict[ProviderAccount, list[tuple[UUID | None, StatusUpdate]]] = defaultdict(list)
    with tenant_scope(tenant_id):
        accounts = ProviderAccount.objects.in_bulk({callback.account_id for callback in callbacks})
        for callback in callbacks:
            account = accounts.get(callback.account_id)
            if account is None or account.kind != callback.kind:
                wrong.append(UnknownAccount())
                continue
            try:
                update = provider_for(account).read_status(callback.request)
            except CallbackRefused as refusal:
                wrong.append(refusal)
            else:
                wrong.append(None)
                genuine[account].append((callback.attempt_id, update))
        for account, updates in genuine.items():
            store_all(account, updates)
            learn_numbers(account, (update for _, update in updates))
    return wrong


_together: Final = GroupCommit[UUID, StatusCallback](_take_all, apart_seconds=0.01)
