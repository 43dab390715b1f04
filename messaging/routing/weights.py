"""The weight of a provider account: it falls when many of its calls go wrong, and drifts back by itself.

A hard switch on the first errors would flip between accounts; a weight moves a share of the people and keeps the rest.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from messaging.models import ProviderAccount

__all__ = ["BACK_EVERY", "NOT_AGAIN_WITHIN", "STEPS", "current_weight", "fall"]

STEPS: Final = 5
"""A weight falls by a fifth of its resting value at a time, and comes back by as much."""
BACK_EVERY: Final = timedelta(minutes=5)
NOT_AGAIN_WITHIN: Final = timedelta(minutes=1)
"""The errors of one trouble count once."""


def current_weight(account: ProviderAccount, now: datetime) -> int:
    """The weight now: at least 1, because an account of which nothing is asked could not show that it works again."""
    return max(1, account.weight - _fallen(account, now))


def fall(account: ProviderAccount, others: Sequence[ProviderAccount], now: datetime) -> bool:
    """Lower the weight of an account by a step; False when it may not fall now.

    Never all of them: when every other account has fallen, too, the trouble is not theirs. The caller holds the rows.
    """
    if account.fell_at and now - account.fell_at < NOT_AGAIN_WITHIN:
        return False
    if not any(_fallen(other, now) == 0 for other in others):
        return False
    account.fallen_by = min(account.weight - 1, _fallen(account, now) + _step(account))
    account.fell_at = now
    return True


def _fallen(account: ProviderAccount, now: datetime) -> int:
    if not account.fallen_by or account.fell_at is None:
        return 0
    return max(0, account.fallen_by - _step(account) * max(0, (now - account.fell_at) // BACK_EVERY))


def _step(account: ProviderAccount) -> int:
    return max(1, account.weight // STEPS)
