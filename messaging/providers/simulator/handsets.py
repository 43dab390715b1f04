"""What the virtual phones show: their threads, kept in Redis so that web and network share them."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

import redis

from messaging.providers.simulator.scripts import Script

__all__ = ["Handset", "Handsets", "ShownText", "keys_of", "script_key", "stored"]

KEPT_PER_PHONE: Final = 50
_RECENT: Final = "phones:recent"
_ARRIVED: Final = "phones:arrived"


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text on a virtual phone. ``incoming`` means that it arrived there."""

    incoming: bool
    sender: str
    body: str
    at: float
    """Unix time in seconds."""


@dataclass(frozen=True, slots=True)
class Handset:
    """A virtual phone with its newest texts, oldest first."""

    number: str
    texts: list[ShownText]


def keys_of(number: str) -> tuple[str, str, str]:
    """The Redis keys that a text to a phone touches: its thread, the recent phones, the arrival counter."""
    return f"phones:thread:{number}", _RECENT, _ARRIVED


def script_key(number: str) -> str:
    """The Redis key of what a phone answers by itself."""
    return f"phones:script:{number}"


def stored(text: ShownText) -> str:
    """A text as it is kept."""
    return json.dumps(asdict(text))


class Handsets:
    """Reading the phones, whose texts the network process writes, and setting what they answer by themselves."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, decode_responses=True)

    def arrived(self) -> int:
        """How many texts reached any phone since the data folder was made."""
        return int(self._redis.get(_ARRIVED) or 0)

    def recent(self, *, offset: int = 0, limit: int = 24) -> list[Handset]:
        """The phones with the newest texts."""
        numbers = self._newest(offset, offset + limit - 1)
        return self._with_threads(numbers, texts=4)

    def matching(self, digits: str, *, limit: int = 24) -> list[Handset]:
        """Phones whose number contains the digits, newest first."""
        wanted = [number for number in self._newest(0, 9_999) if digits in number]
        return self._with_threads(wanted[:limit], texts=4)

    def one(self, number: str) -> Handset:
        """One phone with all that it keeps; an unknown number is a phone without texts."""
        return self._with_threads([number], texts=KEPT_PER_PHONE)[0]

    def script(self, number: str) -> Script:
        """What a phone answers by itself."""
        return Script.from_json(str(self._redis.get(script_key(number)) or ""))

    def keep_script(self, number: str, script: Script) -> None:
        """From the next text on."""
        if script.lines:
            self._redis.set(script_key(number), script.as_json())
        else:
            self._redis.delete(script_key(number))

    def _newest(self, first: int, last: int) -> list[str]:
        return [str(number) for number in self._redis.zrevrange(_RECENT, first, last)]

    def _with_threads(self, numbers: Iterable[str], *, texts: int) -> list[Handset]:
        ordered = list(numbers)
        pipeline = self._redis.pipeline(transaction=False)
        for number in ordered:
            pipeline.lrange(keys_of(number)[0], 0, texts - 1)
        return [
            Handset(number, [ShownText(**json.loads(line)) for line in reversed(lines)])
            for number, lines in zip(ordered, pipeline.execute(), strict=True)
        ]
