"""How the calls to each account went in the last minute: counted in Redis, by its clock, for all workers together.

The counts may be lost at any time: then an account counts as well until it has failed again. While Redis is away each
process counts its own calls.
"""

import threading
import time
from dataclasses import dataclass
from typing import Final, cast

from django.core.cache import caches

from common.cache import TolerantCache
from messaging.models import ProviderAccount

__all__ = ["Recent", "forget", "tell"]

SLOT: Final = 10
SLOTS: Final = 6
"""Ten seconds each: what is older than a minute does not count."""

_TELL: Final = f"""
local slot = math.floor(tonumber(redis.call('TIME')[1]) / {SLOT})
redis.call('HINCRBY', KEYS[1], 'calls:' .. slot, ARGV[1])
redis.call('HINCRBY', KEYS[1], 'failed:' .. slot, ARGV[2])
redis.call('EXPIRE', KEYS[1], {SLOT * SLOTS * 2})
local known, sums = redis.call('HGETALL', KEYS[1]), {{calls = 0, failed = 0}}
for i = 1, #known, 2 do
    local what, at = string.match(known[i], '(%a+):(%d+)')
    if tonumber(at) > slot - {SLOTS} then
        sums[what] = sums[what] + tonumber(known[i + 1])
    else
        redis.call('HDEL', KEYS[1], known[i])
    end
end
return {{tostring(sums.calls), tostring(sums.failed)}}
"""


@dataclass(frozen=True, slots=True)
class Recent:
    """The calls of the last minute, and how many of them the account did not answer as it should."""

    calls: int
    failed: int


_here: Final[dict[str, list[tuple[float, int, int]]]] = {}
_here_lock: Final = threading.Lock()


def tell(account: ProviderAccount, *, calls: int, failed: int) -> Recent:
    """Count these calls and say how it stands."""
    key = _key(account)
    answer = cast(TolerantCache, caches["default"]).run_script(_TELL, [key], [str(calls), str(failed)])
    if answer is None:
        return _tell_here(key, calls, failed)
    return Recent(*(int(one) for one in answer))


def forget(account: ProviderAccount) -> None:
    """It works again: what went wrong before says nothing about it."""
    caches["default"].delete(_key(account))
    with _here_lock:
        _here.pop(_key(account), None)


def _tell_here(key: str, calls: int, failed: int) -> Recent:
    now = time.monotonic()
    with _here_lock:
        counts = [one for one in _here.get(key, []) if now - one[0] < SLOT * SLOTS]
        counts.append((now, calls, failed))
        _here[key] = counts
        return Recent(sum(one[1] for one in counts), sum(one[2] for one in counts))


def _key(account: ProviderAccount) -> str:
    return f"health:{account.tenant_id}:{account.id}"
