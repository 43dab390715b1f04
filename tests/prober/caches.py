"""The cache during the proof: in this process, without limits of requests, and looked through afterwards."""

import re
from collections.abc import Iterator
from typing import Any, Final

from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache

from tests.prober.world import World

__all__ = ["LimitlessCache", "cache_problems"]

SHARED: Final = {
    r"rate:": "counters of requests, by person or address; they hold numbers only",
    r"allauth": "counters of attempts to sign in; they hold times only",
    r"session-seen:": "that one session was seen lately; it holds nothing else",
    r"beat-heartbeat": "when the ticker last ran",
}
"""Keys that need not name a tenant, and why. Everything else that is kept must say whose it is."""


class LimitlessCache(LocMemCache):
    """The cache of this process, in which nobody reaches a limit of requests a minute; its keys can be listed."""

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return 1 if str(key).startswith("rate:") else super().incr(key, delta, version)

    def reachable(self) -> bool:
        """As the product's own cache says it."""
        return True


def cache_problems(world: World) -> Iterator[str]:
    """Keys that do not say whose they are, and values that hold something of another tenant than their key's."""
    kept: dict[str, bytes] = dict(cache._cache)  # type: ignore[attr-defined]
    for key, value in kept.items():
        text = value.decode("latin-1")
        owners = [side for side in (world.a, world.b) if side.canaries.found_in(key)]
        if not owners and not any(re.search(known, key) for known in SHARED):
            yield f"The cache key {key!r} names no tenant: put its id into it, or add it to SHARED of tests/prober/caches.py."
        for side in (world.a, world.b):
            if side not in owners and (found := side.canaries.found_in(text)):
                yield f"LEAK: the cache keeps {sorted(found)} of tenant {side.letter} under {key!r}"
