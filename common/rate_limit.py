"""Counting requests per minute in the cache, to slow down loops and abuse; not a security counter.

Counters that protect money or codes live in PostgreSQL, because a cache may be flushed.
"""

import time

from django.core.cache import cache

__all__ = ["within_limit"]


def within_limit(name: str, *, per_minute: int) -> bool:
    """Count one request under ``name`` and say whether it is within the limit of this minute.

    When the cache cannot be reached the answer is yes: the product stays usable without it.
    """
    key = f"rate:{name}:{int(time.time() // 60)}"
    cache.add(key, 0, timeout=120)
    try:
        return cache.incr(key) <= per_minute
    except ValueError:
        # Nothing was counted: the cache is away, or it was emptied at this moment.
        return True
