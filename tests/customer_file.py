"""A customer file as a shop would export it: thousands of people, some of whom did not agree, and bad rows."""

import csv
import io
import random

__all__ = ["AREA_CODES", "customer_file"]

AREA_CODES = (
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 "
    "253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 "
    "321 323 325 330 331 334 336 337 339 346 347 351 352 360 361 385 386"
).split()
"""Assigned for years; 555-0100 to 555-0199 in each of them are fictional."""

_BAD = (
    "",
    "n/a",
    "12345",
    "555-0100",
    "+1 (202) 555",
    "not a number",
    "202-555-01",
    "+44 909 879 0000",
    "0000000000",
    "call office",
)


def customer_file(*, good: int, bad: int, declined: int, seed: int = 1) -> str:
    """CSV text with ``good`` importable people, of whom ``declined`` did not agree, and ``bad`` rows in between."""
    dice = random.Random(seed)
    numbers = [f"+1{area}55501{digits:02d}" for area in AREA_CODES for digits in range(90)][:good]
    assert len(numbers) == good, "not enough fictional numbers"
    spellings = (
        lambda n: n,
        lambda n: f"({n[2:5]}) {n[5:8]}-{n[8:]}",
        lambda n: f"{n[2:5]}.{n[5:8]}.{n[8:]}",
        lambda n: f"1-{n[2:5]}-{n[5:8]}-{n[8:]}",
    )
    rows = [
        [f"First{n}", f"Last{n}", dice.choice(spellings)(number), f"p{n}@mail.example", "no" if n < declined else "yes"]
        for n, number in enumerate(numbers)
    ]
    for n in range(bad):
        rows.insert(dice.randrange(len(rows)), [f"Bad{n}", "Row", _BAD[n % len(_BAD)], "", "yes"])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["First name", "Last name", "Mobile phone", "E-mail", "SMS opt-in"])
    writer.writerows(rows)
    return text.getvalue()
