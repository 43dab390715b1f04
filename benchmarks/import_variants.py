"""Imports that do not go smoothly or are no CSV: killed with -9 halfway and taken up by another process, and a workbook.

Each must end with the same rows as a file that went through at once: every one exactly once.
"""

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.import_contacts import write_file

__all__ = ["run"]

ROWS: Final = int(os.environ.get("BENCH_ROWS", "1000000"))
WORKBOOK_ROWS: Final = min(ROWS, 100_000)
_RESUME: Final = """
import sys, uuid, django
django.setup()
from contacts.importing.run import run_import
run_import(uuid.UUID(sys.argv[1]), uuid.UUID(sys.argv[2]))
"""


def run() -> Iterator[Mapping[str, Any]]:
    """One line each: how fast, how much memory, and whether all rows are there once."""
    with tempfile.TemporaryDirectory(prefix="smsplatform-bench-") as folder:
        path = Path(folder) / "people.csv"
        in_file = write_file(path, ROWS)
        yield _killed(path, in_file)
        in_file = write_file(path, WORKBOOK_ROWS)
        yield _workbook(_as_workbook(path), in_file)


def _killed(path: Path, in_file: Mapping[str, int]) -> dict[str, Any]:
    """Killed in the middle of the import, and resumed as a worker would after the lease."""
    from django.utils import timezone

    from contacts.importing.progress import LEASE
    from contacts.models import ContactImport
    from tenants.scope import tenant_scope
    from tests.cast import make_company

    tenant = make_company("Killed import", "killed@bench.example", "+12025550193").tenant
    process = subprocess.Popen(_command(path, tenant.slug), stdout=subprocess.DEVNULL)
    done = 0
    while done < ROWS // 2:
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.2)
        with tenant_scope(tenant.id):
            job = ContactImport.objects.filter(status=ContactImport.Status.IMPORTING).first()
            done = job.rows_done if job else 0
    process.kill()
    process.wait()
    with tenant_scope(tenant.id):
        job = ContactImport.objects.get()
        ContactImport.objects.update(leased_until=timezone.now() - LEASE)
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", _RESUME, str(tenant.id), str(job.id)], check=True)
    return {
        "name": "import killed at",
        "value": done,
        "unit": f"of {ROWS} rows",
        "rest_took_seconds": round(time.monotonic() - began, 1),
        **_found(tenant, in_file),
    }


def _workbook(path: Path, in_file: Mapping[str, int]) -> dict[str, Any]:
    from tests.cast import make_company

    tenant = make_company("Workbook", "workbook@bench.example", "+12025550194").tenant
    began = time.monotonic()
    subprocess.run(_command(path, tenant.slug), stdout=subprocess.DEVNULL, check=True)
    seconds = time.monotonic() - began
    return {
        "name": "import workbook",
        "value": round(WORKBOOK_ROWS / seconds),
        "unit": "rows/s",
        "peak_megabytes_of_all": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
        **_found(tenant, in_file),
    }


def _as_workbook(path: Path) -> Path:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            sheet.append(row)
    made = path.with_suffix(".xlsx")
    book.save(made)
    return made


def _command(path: Path, slug: str) -> list[str]:
    command = [sys.executable, "manage.py", "import_contacts", str(path), "--tenant", slug]
    return [*command, "--consent-basis", "paper", "--note", "Signed at the desk"]


def _found(tenant: Any, in_file: Mapping[str, int]) -> dict[str, Any]:
    """What the database holds, beside what the file held."""
    from consent.models import ConsentRecord, ConsentState
    from contacts.models import Contact, ContactImport, ImportRow
    from tenants.scope import tenant_scope

    with tenant_scope(tenant.id):
        job = ContactImport.objects.get()
        rows = {model.__name__: model.objects.count() for model in (Contact, ConsentRecord, ConsentState, ImportRow)}
    people = in_file["good"]
    expected = {"Contact": people, "ConsentRecord": people, "ConsentState": people, "ImportRow": sum(in_file.values())}
    counted = {"created": people, "merged": in_file["repeated"], "rejected": in_file["bad"]}
    return {"status": job.status, **rows, "each_row_once": rows == expected and job.counts == counted}
