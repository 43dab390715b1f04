"""The process of an import is killed with -9 in the middle; another one goes on, and each row is there once."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from consent.models import ConsentRecord, ConsentState
from contacts.importing.progress import LEASE
from contacts.importing.run import run_import
from contacts.models import Contact, ContactImport, ImportRange, ImportRow
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast

PEOPLE = 700
_PROGRAM = """
import sys
from django.conf import settings
import django
django.setup()
settings.DATABASES["default"]["NAME"] = sys.argv.pop(1)
from django.core.management import call_command
from contacts.importing import run
run.CHECK_ROWS, run.IMPORT_ROWS = 20, 20
call_command(*sys.argv[1:])
"""


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def import_in_a_process(cast: Cast, path: Path) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "smsplatform.settings"}
    arguments = ["import_contacts", str(path), "--tenant", cast.clinic.tenant.slug, "--consent-basis", "paper"]
    database = str(connection.settings_dict["NAME"])
    return subprocess.Popen([sys.executable, "-c", _PROGRAM, database, *arguments], env=environment)


def ranges(cast: Cast, work: str) -> int:
    with tenant_scope(cast.clinic.tenant.id):
        return ImportRange.objects.filter(work=work).count()


@pytest.mark.fault("F24")
@pytest.mark.parametrize(("work", "after"), [("check", 3), ("import", 2), ("import", 12)])
def test_each_row_is_imported_once(cast: Cast, tmp_path: Path, work: str, after: int) -> None:
    numbers = [f"+1{area}55501{n:02d}" for area in (202, 212, 303, 312, 404, 415, 503) for n in range(100)]
    rows = [f"{number},P{n}" for n, number in enumerate(numbers)]
    rows += [f"{number},Again" for number in random.Random(1).sample(numbers, 20)] + ["12,Bad"] * 10
    path = tmp_path / "people.csv"
    path.write_text("\n".join(["phone,first name", *rows]))
    process = import_in_a_process(cast, path)
    deadline = time.monotonic() + 120
    while ranges(cast, work) < after:
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.wait()
    with tenant_scope(cast.clinic.tenant.id):
        job = ContactImport.objects.get()
        assert job.status != "done"
        ContactImport.objects.update(leased_until=timezone.now() - LEASE)
    run_import(cast.clinic.tenant.id, job.id)
    with tenant_scope(cast.clinic.tenant.id):
        job = ContactImport.objects.get()
        assert (job.status, job.counts) == ("done", {"created": PEOPLE, "merged": 20, "rejected": 10})
        assert list(ImportRow.objects.order_by("row_number").values_list("row_number", flat=True)) == list(
            range(2, 732)
        )
        assert sorted(Contact.objects.values_list("number", flat=True)) == sorted(numbers)
        for model in (ConsentRecord, ConsentState):
            assert sorted(model.objects.values_list("number", flat=True)) == sorted(numbers)  # type: ignore[attr-defined]
