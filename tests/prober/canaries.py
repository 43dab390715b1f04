"""Canaries: texts, numbers, addresses and ids that belong to one tenant alone, so that wherever one appears it tells whose it is."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

__all__ = ["AREA_CODES", "Canaries"]

AREA_CODES = {"a": "415", "b": "617"}
"""555-0100 to 555-0199 are fictional in each of them."""
_NETWORKS = {"a": "198.51.100", "b": "203.0.113"}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FULL = 60
_PLAIN = 16


@dataclass
class Canaries:
    """Everything by which the rows of one tenant are known again; ``letter`` is "a" or "b"."""

    letter: str
    ids: set[str] = field(default_factory=set)
    short: set[str] = field(default_factory=set)
    _long: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        number = rf"{AREA_CODES[self.letter]}\D{{0,3}}555\D?01\d\d"
        address = re.escape(_NETWORKS[self.letter]) + r"\.\d+"
        self._long = re.compile(rf"canary-{self.letter}-[\w.-]*|{number}|{address}")

    def text(self, table: str, column: str, *, at_most: int | None) -> str:
        """A text for one column: "CANARY-b-contacts_contact-email-1f3a", or as much of it as the column takes."""
        room = at_most or 200
        random = secrets.token_hex(4)
        where = f"{table}-{column}"[: max(0, min(room, _FULL) - 18)]
        if room >= _PLAIN:
            return f"CANARY-{self.letter}-{where}-{random}" if where else f"CANARY-{self.letter}-{random}"[:room]
        short = f"q{self.letter}{secrets.token_hex(8)}"[:room]
        self.short.add(short)
        return short

    def number(self, n: int) -> str:
        """A phone number of the tenant."""
        return f"+1{AREA_CODES[self.letter]}55501{n:02d}"

    def address(self, n: int) -> str:
        """An IP address."""
        return f"{_NETWORKS[self.letter]}.{n}"

    def own(self, ids: Iterable[UUID]) -> None:
        """Remember ids of the tenant's rows."""
        self.ids.update(str(one) for one in ids)

    def found_in(self, text: str) -> set[str]:
        """The canaries in a text, in lower case."""
        lower = text.lower()
        found = set(self._long.findall(lower))
        found.update(one for one in self.short if one in lower)
        found.update(self.ids.intersection(_UUID.findall(lower)))
        return found
