"""From a request that names a tenant's own rows, the same request that names the other's, or nobody's."""

import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from tests.prober.canaries import AREA_CODES
from tests.prober.world import Side, World

__all__ = ["MALFORMED", "Swaps"]

MALFORMED = ("' OR 1=1 --", "\x00", "9" * 40, "1e400", "NaN", "-1", "../../etc/passwd", "(" + "a" * 500 + "!")
"""Values that are no id, number or date at all."""

_NOBODYS_AREA = "503"


@dataclass
class Swaps:
    """Every own id and number with the other tenant's of the same kind, and with one that exists nowhere."""

    world: World
    side: Side
    foreign: dict[str, str] = field(init=False)
    nobodys: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        other = self.world.other(self.side)
        self.foreign = {
            str(one): str(theirs)
            for label, ids in self.side.ids.items()
            for one, theirs in zip(ids, other.ids[label], strict=True)
        }
        self.foreign |= {str(user.id): str(other.people[role].id) for role, user in self.side.people.items()}
        self.foreign[str(self.side.tenant.id)] = str(other.tenant.id)
        # Right beside the foreign ones: a cursor in the order of ids must not tell them apart either.
        self.nobodys = {one: theirs[:-8] + secrets.token_hex(4) for one, theirs in self.foreign.items()}
        ours, theirs = AREA_CODES[self.side.letter], AREA_CODES[other.letter]
        for n in range(100):
            number = self.side.canaries.number(n)
            self.foreign[number] = number.replace(ours, theirs)
            self.nobodys[number] = number.replace(ours, _NOBODYS_AREA)

    @cached_property
    def _own(self) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(one) for one in self.foreign))

    def named_in(self, text: str) -> list[str]:
        """The tenant's own ids and numbers in a text."""
        return list(dict.fromkeys(self._own.findall(text)))

    def to_foreign(self, text: str) -> str:
        """The text with the other tenant's ids and numbers in the place of the own ones."""
        return self._own.sub(lambda found: self.foreign[found.group()], text)

    def to_nobodys(self, text: str) -> str:
        """The text with ids and numbers that exist nowhere."""
        return self._own.sub(lambda found: self.nobodys[found.group()], text)
