"""The breaker of a provider account: while its calls fail, nothing more is offered to it; it closes by itself.

``pipeline.trouble`` pauses what a person has to mend, a refused key or a lost number. This one is about connections that
fail, answers that do not come and errors of the provider's own servers, which pass. Open, it lets a few texts of one
batch through from time to time; when they are answered it closes.

Its state is three columns of the account's row, which every worker reads with the sender anyway. They are written only
when something changes: at most once in some seconds, however many workers there are. The counts that decide are in
Redis (``health``).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.db.models import F
from django.db.models.functions import Now

from common.clock import database_now
from messaging.models import ProviderAccount
from messaging.providers.base import Outcome, SendResult
from messaging.routing import weights
from messaging.routing.health import Recent, forget, tell
from tenants.audit import record

__all__ = ["PROBE_TEXTS", "claim_probe", "give_probe_back", "is_trouble", "note", "rest_after"]

FEWEST: Final = 5
"""So few failures are no proof, even when nothing else was tried."""
PROBE_TEXTS: Final = 5
"""So many texts of one batch try whether the account works: each may be in doubt afterwards."""
PROBE_SECONDS: Final = timedelta(seconds=45)
"""A probe whose worker died is made again after this time: longer than a lease."""
FIRST_REST: Final = timedelta(seconds=10)
LONGEST_REST: Final = timedelta(minutes=1)
FALLS_FROM: Final = 10
"""So many failures in a minute lower the account's weight, while most of its calls still succeed."""
NEVER_CALLED: Final = frozenset({"fenced"})
NOT_CONNECTED: Final = "not_connected"


def is_trouble(result: SendResult) -> bool:
    """Whether a call failed on the way or at the provider, whatever its text was."""
    return result.outcome is Outcome.UNKNOWN or result.error_code == NOT_CONNECTED


def should_open(recent: Recent) -> bool:
    """Half of the last minute's calls failed, and enough of them to mean something."""
    return recent.failed >= FEWEST and recent.failed * 2 >= recent.calls


def rest_after(probes: int) -> timedelta:
    """How long nothing is offered after so many probes that failed: twice as long each time."""
    return min(LONGEST_REST, FIRST_REST * (1 << min(probes, 8)))


def claim_probe(account: ProviderAccount) -> bool:
    """Whether this worker may try the broken account now; for some time it is the only one."""
    due = ProviderAccount.objects.filter(id=account.id, broken_since__isnull=False, probe_at__lte=Now())
    return bool(due.update(probe_at=Now() + PROBE_SECONDS))


def give_probe_back(account: ProviderAccount) -> None:
    """Nothing was tried after all."""
    ProviderAccount.objects.filter(id=account.id, broken_since__isnull=False).update(probe_at=Now())


def note(account: ProviderAccount, results: Sequence[SendResult]) -> None:
    """Learn from the answers to one batch; ``account`` is as it was when the batch was prepared.

    In the scope of its tenant, after the answers are recorded.
    """
    made = [result for result in results if result.error_code not in NEVER_CALLED]
    failed = sum(map(is_trouble, made))
    if account.broken_since is not None:
        if made:
            _judge_probe(account, works=failed * 2 < len(made))
        else:
            give_probe_back(account)
        return
    recent = tell(account, calls=len(made), failed=failed)
    if failed and should_open(recent):
        _open(account)
    if failed and recent.failed >= FALLS_FROM:
        _lower_weight(account)


def _open(account: ProviderAccount) -> None:
    closed = ProviderAccount.objects.filter(id=account.id, broken_since=None)
    if closed.update(broken_since=Now(), probe_at=Now() + FIRST_REST, probes=0):
        record("account.broken", target=account)


def _judge_probe(account: ProviderAccount, *, works: bool) -> None:
    broken = ProviderAccount.objects.filter(id=account.id, broken_since__isnull=False)
    if not works:
        broken.update(probe_at=Now() + rest_after(account.probes + 1), probes=F("probes") + 1)
    elif broken.update(broken_since=None, probe_at=None, probes=0):
        forget(account)
        record("account.healed", target=account)


def _lower_weight(account: ProviderAccount) -> None:
    now = database_now()
    if account.fell_at and now - account.fell_at < weights.NOT_AGAIN_WITHIN:
        return
    in_use = ProviderAccount.objects.filter(status=ProviderAccount.Status.ACTIVE)
    rows = {one.id: one for one in in_use.select_for_update().order_by("id")}
    this = rows.pop(account.id, None)
    if this and weights.fall(this, list(rows.values()), now):
        this.save(update_fields=["fallen_by", "fell_at"])
