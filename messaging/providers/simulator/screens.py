"""What the network puts on the phones' screens. They live in Redis; without it nothing shows, and texts are taken."""

import logging
from typing import Final

import redis.asyncio
from redis.exceptions import RedisError

from messaging.providers.simulator.handsets import KEPT_PER_PHONE, ShownText, keys_of, script_key, stored
from messaging.providers.simulator.record import Entry
from messaging.providers.simulator.scripts import Script

__all__ = ["Screens"]

_log = logging.getLogger(__name__)
_PATIENCE_SECONDS: Final = 1.0


class Screens:
    """Writing what ``Handsets`` reads."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            redis_url,
            socket_timeout=_PATIENCE_SECONDS,
            socket_connect_timeout=_PATIENCE_SECONDS,
            decode_responses=True,
        )
        self._inbound: dict[str, str] = {}

    async def show(self, entry: Entry) -> None:
        """Put a text or a reply on its phone."""
        thread, recent, arrived = keys_of(entry.number)
        text = ShownText(incoming=not entry.inbound, sender=entry.sender, body=entry.body, at=entry.at)
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.lpush(thread, stored(text))
                pipeline.ltrim(thread, 0, KEPT_PER_PHONE - 1)
                pipeline.zadd(recent, {entry.number: text.at})
                if text.incoming:
                    pipeline.incr(arrived)
                await pipeline.execute()
        except RedisError as error:
            _log.warning("A text is not shown: %s", type(error).__name__)

    async def remember_inbound_address(self, sender: str, status_callback: str) -> None:
        """Where replies to a sender go: the two callback addresses of an account differ in their last word."""
        inbound = status_callback.partition("?")[0].removesuffix("status") + "inbound"
        if self._inbound.get(sender) == inbound:
            return
        self._inbound[sender] = inbound
        try:
            await self._redis.set(_inbound_key(sender), inbound)
        except RedisError as error:
            _log.warning("An address for replies is only in memory: %s", type(error).__name__)

    async def inbound_address(self, sender: str) -> str:
        """Where replies to a sender go; empty when no text of it has come."""
        if sender in self._inbound:
            return self._inbound[sender]
        try:
            found = await self._redis.get(_inbound_key(sender))
        except RedisError:
            return ""
        return str(found or "")

    async def scripted_answer(self, entry: Entry) -> tuple[str, float]:
        """What the phone's script answers to a text, which uses up its line, and after how many seconds."""
        key = script_key(entry.number)
        try:
            kept = str(await self._redis.get(key) or "")
            if not kept:
                return "", 0.0
            answer, script = Script.from_json(kept).answer_to(entry.body)
            if answer:
                await self._redis.set(key, script.as_json())
        except RedisError as error:
            _log.warning("A script is not read: %s", type(error).__name__)
            return "", 0.0
        return answer, script.seconds

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def _inbound_key(sender: str) -> str:
    return f"phones:inbound:{sender}"
