"""The cache that pages may rely on: while Redis is away it is simply empty, so nothing remembered is needed to work.

What has to be counted or locked for certain lives in PostgreSQL. Rate limits (ours and allauth's) count here and let
everything pass while nothing can be counted.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

__all__ = ["TolerantCache"]

logger = logging.getLogger(__name__)

ASK_AGAIN_SECONDS: Final = 5.0
"""After a failure Redis is left alone for so long: a page asks a dozen times and must not wait a dozen timeouts."""

T = TypeVar("T")


class TolerantCache(RedisCache):
    """Django's Redis cache; what cannot be asked for is not there, what cannot be stored is lost, and the log tells."""

    _away_until = 0.0

    def reachable(self) -> bool:
        """Whether Redis answers now."""
        try:
            self._cache.get_client().ping()
        except (RedisError, OSError):
            return False
        return True

    def server_time(self) -> float | None:
        """Seconds since 1970 by Redis's clock; None when it cannot be asked."""

        def ask() -> float:
            seconds, microseconds = self._cache.get_client().time()
            return float(seconds) + float(microseconds) / 1e6

        return self._ask(ask, otherwise=None)

    def _ask(self, question: Callable[[], T], otherwise: T) -> T:
        if time.monotonic() < self._away_until:
            return otherwise
        try:
            return question()
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + ASK_AGAIN_SECONDS
            logger.warning("The cache cannot be reached; rate limits do not hold until it can: %s", error)
            return otherwise

    def run_script(self, script: str, keys: Sequence[str], args: Sequence[str]) -> list[bytes] | None:
        """A Lua script in one round trip; None when Redis cannot be asked."""

        def run() -> list[bytes]:
            client = self._cache.get_client(write=True)
            made = [self.make_and_validate_key(key) for key in keys]
            answer: list[bytes] = client.register_script(script)(keys=made, args=list(args), client=client)
            return answer

        return self._ask(run, otherwise=None)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        # "Added": whoever wants a lock gets it.
        return self._ask(lambda: RedisCache.add(self, key, value, timeout, version), otherwise=True)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._ask(lambda: RedisCache.get(self, key, default, version), otherwise=default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._ask(lambda: RedisCache.set(self, key, value, timeout, version), otherwise=None)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._ask(lambda: RedisCache.touch(self, key, timeout, version), otherwise=False)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._ask(lambda: RedisCache.delete(self, key, version), otherwise=False)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return self._ask(lambda: RedisCache.has_key(self, key, version), otherwise=False)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        found = self._ask(lambda: RedisCache.incr(self, key, delta, version), otherwise=None)
        if found is None:
            raise ValueError(f"Key '{key}' not found")
        return found

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return self._ask(lambda: RedisCache.get_many(self, keys, version), otherwise={})

    def set_many(self, data: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> list[Any]:
        return self._ask(lambda: RedisCache.set_many(self, data, timeout, version), otherwise=list(data))

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        self._ask(lambda: RedisCache.delete_many(self, keys, version), otherwise=None)
