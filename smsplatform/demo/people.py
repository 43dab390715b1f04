"""Made-up people. Numbers 555-0100 to 555-0199 exist in every North American area code and belong to nobody."""

import random
from dataclasses import dataclass
from itertools import islice
from typing import Final

__all__ = ["DemoPerson", "people"]

_FIRST: Final = (
    "Ana Ben Carla David Elena Frank Grace Hugo Ines Jack Karen Luis Maria Nora Oscar Priya Quinn Rosa Sam Tara "
    "Umar Vera Will Ximena Yusuf Zoe Amara Brian Chloe Diego Emma Felix Gina Henry Isla Jorge Keiko Liam Maya Noah "
    "Olivia Peter Renee Sofia Thomas Uma Victor Wendy Yara Zach"
).split()
_LAST: Final = (
    "Alvarez Baker Chen Diaz Evans Fischer Garcia Hughes Ito Johnson Kim Lopez Miller Nguyen Owens Patel Quintero "
    "Reyes Santos Taylor Ueda Vargas Walker Xu Young Zimmer Allen Brooks Castillo Doyle Edwards Foster Grant Hall "
    "Ivanov Jordan Khan Lewis Moreno Novak"
).split()
_AREA_CODES: Final = ("202", "212", "303", "305", "312", "404", "415", "512", "617", "702", "713", "206")
_CITIES: Final = {
    "202": "Washington",
    "212": "New York",
    "303": "Denver",
    "305": "Miami",
    "312": "Chicago",
    "404": "Atlanta",
    "415": "San Francisco",
    "512": "Austin",
    "617": "Boston",
    "702": "Las Vegas",
    "713": "Houston",
    "206": "Seattle",
}


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One person of the demo."""

    number: str
    first_name: str
    last_name: str
    email: str
    city: str


def people(count: int, *, seed: int, last_digits: tuple[int, int] = (0, 79)) -> list[DemoPerson]:
    """``count`` different people on different numbers, the same ones for the same seed.

    ``last_digits`` bounds the two last digits: from 80 on, the simulated network misbehaves.
    """
    dice = random.Random(seed)  # noqa: S311 - picks names, protects nothing
    numbers = [
        f"+1{area}55501{digits:02d}" for area in _AREA_CODES for digits in range(last_digits[0], last_digits[1] + 1)
    ]
    dice.shuffle(numbers)
    chosen = []
    for number in islice(numbers, count):
        first, last = dice.choice(_FIRST), dice.choice(_LAST)
        address = f"{first}.{last}{number[-2:]}@mail.example".lower()
        chosen.append(DemoPerson(number, first, last, address, _CITIES[number[2:5]]))
    return chosen
