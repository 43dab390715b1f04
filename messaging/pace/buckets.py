"""The buckets of senders and accounts: in Redis, by its clock, so that all workers share them in one round trip.

They may be lost at any time: an empty Redis means full buckets, so at most one burst more. While Redis is away each
process goes on by buckets of its own, at ``AWAY_SHARE`` of the pace: never without a limit, and never not at all.
"""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from django.core.cache import caches

from common.cache import TolerantCache
from messaging.pace.rules import Level, Limit, fitting

__all__ = ["AWAY_SHARE", "Taken", "give_back", "slow_down", "take"]

AWAY_SHARE: Final = 0.1
"""The sending workers of docker-compose.yml have ten processes: together they reach the sender's own pace."""

RECOVERED_AFTER: Final = 300
"""Seconds after which a sender that was slowed down has its pace again; it drifts back all the time."""
ONCE_IN: Final = 10
"""Refusals within so many seconds are one: they are all of texts that went at the same pace."""
SLOWEST_SHARE: Final = 1 / 16

_SHARE: Final = f"""
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local function share_of(key)
    local known = redis.call('HMGET', key, 'share', 'slowed_at')
    local share = tonumber(known[1]) or 1
    local passed = math.max(0, now - (tonumber(known[2]) or 0))
    return math.min(1, share + (1 - share) * passed / {RECOVERED_AFTER}), passed
end
"""

_SLOW_DOWN: Final = (
    _SHARE
    + f"""
local share, passed = share_of(KEYS[1])
if passed >= {ONCE_IN} then
    share = math.max({SLOWEST_SHARE}, share / 2)
    redis.call('HSET', KEYS[1], 'share', tostring(share), 'slowed_at', string.format('%.6f', now))
    redis.call('EXPIRE', KEYS[1], 3600)
end
return {{tostring(share)}}
"""
)

_TAKE: Final = (
    _SHARE
    + """
local asked = cjson.decode(ARGV[1])
local room = math.huge
local held, rates = {}, {}
for i, limit in ipairs(asked.limits) do
    local known = redis.call('HMGET', KEYS[i], 'tokens', 'at')
    rates[i] = limit.rate * share_of(KEYS[i])
    local passed = math.max(0, now - (tonumber(known[2]) or now))
    local tokens = (tonumber(known[1]) or limit.capacity) + passed * rates[i] + asked.back
    held[i] = math.min(limit.capacity, tokens)
    room = math.min(room, held[i] - limit.reserve)
end
local count, spent = 0, 0
for n, cost in ipairs(asked.costs) do
    if spent + cost > room then break end
    count, spent = n, spent + cost
end
local answer = {tostring(count)}
for i, limit in ipairs(asked.limits) do
    redis.call('HSET', KEYS[i], 'tokens', tostring(held[i] - spent), 'at', string.format('%.6f', now))
    redis.call('EXPIRE', KEYS[i], 3600)
    answer[#answer + 1] = tostring(held[i] - spent)
    answer[#answer + 1] = tostring(rates[i])
end
return answer
"""
)


@dataclass(frozen=True, slots=True)
class Taken:
    """How many of the texts may go, and what is left in each bucket."""

    count: int
    levels: Sequence[Level]


def take(keys: Sequence[str], limits: Sequence[Limit], costs: Sequence[int], *, back: int = 0) -> Taken:
    """Take the parts of as many texts, in order, as all the buckets have; first put ``back`` what was not used."""
    asked = {
        "limits": [{"rate": one.rate, "capacity": one.capacity, "reserve": one.reserve} for one in limits],
        "costs": list(costs),
        "back": back,
    }
    answer = cast(TolerantCache, caches["default"]).run_script(_TAKE, keys, [json.dumps(asked)])
    if answer is None:
        return _take_here(keys, limits, costs, back)
    count, *figures = [float(one) for one in answer]
    levels = [Level(tokens, rate) for tokens, rate in zip(figures[::2], figures[1::2], strict=True)]
    return Taken(int(count), levels)


def give_back(keys: Sequence[str], limits: Sequence[Limit], parts: int) -> None:
    """Put back what was taken for texts that did not go."""
    take(keys, limits, [], back=parts)


def slow_down(key: str) -> None:
    """Halve the pace of a bucket; it comes back within minutes. While Redis is away all go slowly anyway."""
    cast(TolerantCache, caches["default"]).run_script(_SLOW_DOWN, [key], [])


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


_here: Final[dict[str, _Bucket]] = {}
_here_lock: Final = threading.Lock()


def _take_here(keys: Sequence[str], limits: Sequence[Limit], costs: Sequence[int], back: int) -> Taken:
    """The same by this process's own buckets. They begin empty: every process would add its burst otherwise."""
    now = time.monotonic()
    with _here_lock:
        buckets = [_here.setdefault(key, _Bucket(0.0, now)) for key in keys]
        for bucket, limit in zip(buckets, limits, strict=True):
            grown = bucket.tokens + (now - bucket.at) * limit.rate * AWAY_SHARE + back
            bucket.tokens, bucket.at = min(limit.capacity, grown), now
        rooms = [bucket.tokens - limit.reserve for bucket, limit in zip(buckets, limits, strict=True)]
        count = fitting(costs, min(rooms))
        for bucket in buckets:
            bucket.tokens -= sum(costs[:count])
        levels = [Level(bucket.tokens, limit.rate * AWAY_SHARE) for bucket, limit in zip(buckets, limits, strict=True)]
        return Taken(count, levels)
