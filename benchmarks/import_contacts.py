"""A customer file from disk to committed contacts with consent records, beside the naive design in the same database.

The naive design is what most systems begin with: ``csv.DictReader``, the phone number library for each row, and
``bulk_create(update_conflicts=True)`` of a thousand contacts at a time. It decides nothing about consent, keeps no row,
and cannot go on after its death.
"""

import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.stack import cpu_seconds

__all__ = ["run", "write_file"]

ROWS: Final = int(os.environ.get("BENCH_ROWS", "1000000"))
NAIVE_ROWS: Final = min(ROWS, 50_000)
_AREAS: Final = (
    "202 203 205 206 212 213 214 303 304 305 312 313 314 404 405 406 407 408 503 504 505 602 603 702 703".split()
)
_FIRST: Final = "Ann Ben Carla Dan Eve Frank Grace Hugo Ivy Jack Kate Leo Mia Noah Olga Paul Rosa Sam Tina Uwe".split()
_LAST: Final = (
    "Alba Bloom Cole Diaz Evans Ford Gray Hill Ito Jones Klein Lopez Moore Novak Ortiz Price Reed Stone".split()
)
_CITIES: Final = "Boston Austin Reno Miami Salem Denver Tulsa Fresno Omaha Dayton".split()


def write_file(path: Path, rows: int) -> dict[str, int]:
    """A file in mixed national spellings, 2 % bad, 3 % duplicates after normalising; returns what is in it."""
    dice = random.Random(7)
    spellings = (
        lambda n: f"+1{n}",
        lambda n: f"({n[:3]}) {n[3:6]}-{n[6:]}",
        lambda n: f"{n[:3]}.{n[3:6]}.{n[6:]}",
        lambda n: f"1-{n[:3]}-{n[3:6]}-{n[6:]}",
        lambda n: n,
    )
    numbers: list[str] = []
    counts = {"good": 0, "bad": 0, "repeated": 0}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Phone", "First name", "Last name", "E-mail", "City"])
        for row in range(rows):
            chance = dice.random()
            if chance < 0.02:
                counts["bad"] += 1
                number = dice.choice(("", "12345", "n/a", "+1 202 555", "0000000000"))
            elif chance < 0.05 and numbers:
                counts["repeated"] += 1
                number = dice.choice(spellings)(dice.choice(numbers))
            else:
                counts["good"] += 1
                place = counts["good"] * 7_368_787 % 8_000_000
                national = f"{_AREAS[row % len(_AREAS)]}{2_000_000 + place:07d}"
                if len(numbers) < 100_000:
                    numbers.append(national)
                number = dice.choice(spellings)(national)
            person = [dice.choice(_FIRST), dice.choice(_LAST), f"p{row}@mail.example", dice.choice(_CITIES)]
            writer.writerow([number, *person])
    return counts


def run() -> Iterator[Mapping[str, Any]]:
    """The naive design on some of the rows, then the platform on all of them."""
    with tempfile.TemporaryDirectory(prefix="smsplatform-bench-") as folder:
        path = Path(folder) / "people.csv"
        in_file = write_file(path, ROWS)
        naive = _naive(path)
        yield naive
        real = _real(path, in_file)
        yield {**real, "baseline": naive["value"], "ratio": round(real["value"] / naive["value"], 1)}


def _naive(path: Path) -> dict[str, Any]:
    import phonenumbers

    from contacts.models import Contact
    from tenants.scope import tenant_scope
    from tests.cast import make_company

    company = make_company("Naive", "naive@bench.example", "+12025550191")
    began, before = time.monotonic(), (time.process_time(), _postgres())
    done, waiting = 0, {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            done += 1
            try:
                number = phonenumbers.parse(row["Phone"], "US")
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                waiting[e164] = (row["First name"], row["Last name"], row["E-mail"], {"city": row["City"]})
            if len(waiting) >= 1_000 or done == NAIVE_ROWS:
                with tenant_scope(company.tenant.id):
                    Contact.objects.bulk_create(
                        [
                            Contact(number=one, first_name=first, last_name=last, email=email, fields=fields)
                            for one, (first, last, email, fields) in waiting.items()
                        ],
                        update_conflicts=True,
                        unique_fields=["tenant", "number"],
                        update_fields=["first_name", "last_name", "email", "fields"],
                    )
                waiting = {}
            if done == NAIVE_ROWS:
                break
    seconds = time.monotonic() - began
    return _line("import naive", done, seconds, time.process_time() - before[0], _postgres() - before[1])


def _real(path: Path, in_file: Mapping[str, int]) -> dict[str, Any]:
    """The command, as an outsider runs it: a process of its own, from its start to its end."""
    from tests.cast import make_company

    tenant = make_company("Bench import", "import@bench.example", "+12025550192").tenant
    command = [sys.executable, "manage.py", "import_contacts", str(path), "--tenant", tenant.slug]
    before = _postgres()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    ran = subprocess.run(
        [*command, "--consent-basis", "paper", "--note", "Signed at the desk"],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads(ran.stdout)
    python = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    line = _line("import real", ROWS, seconds, python, _postgres() - before)
    return {
        **line,
        "peak_megabytes": round(after.ru_maxrss / 1024),
        "rows_as_expected": [summary[name] for name in ("created", "merged", "rejected")]
        == [in_file[name] for name in ("good", "repeated", "bad")],
        **{name: summary[name] for name in ("created", "merged", "rejected")},
    }


def _postgres() -> float:
    return cpu_seconds(int(os.environ["BENCH_POSTGRES_PID"]))


def _line(name: str, rows: int, seconds: float, python: float, postgres: float) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(rows / seconds, 1),
        "unit": "rows/s",
        "cpu_ms_per_item": round(1000 * (python + postgres) / rows, 4),
        "cpu_us_python": round(1e6 * python / rows, 1),
        "cpu_us_postgres": round(1e6 * postgres / rows, 1),
    }
