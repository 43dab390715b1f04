"""``manage.py import_contacts FILE --tenant SLUG --consent-basis BASIS``: the import of the web page."""

import csv
import json
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from consent.purposes import PURPOSES_WITH_CONSENT, Purpose
from contacts.importing.decoding import FileProblem
from contacts.importing.files import PART_BYTES
from contacts.importing.rejected import rejected_rows
from contacts.importing.run import run_import
from contacts.models import ContactImport, ContactList
from contacts.services import check_import, get_or_create_tag, start_import, upload_import
from tenants.command_line import RecordedCommand
from tenants.models import Tenant
from tenants.scope import tenant_scope


class Command(RecordedCommand):
    help = "Import a contact file; prints a JSON summary."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--consent-basis", required=True, choices=ContactImport.Basis.values)
        parser.add_argument(
            "--purpose",
            action="append",
            choices=[purpose.value for purpose in PURPOSES_WITH_CONSENT],
            help="what the people agreed to; may be repeated (default: marketing where the basis is in writing, "
            "otherwise transactional)",
        )
        parser.add_argument("--list", metavar="NAME", help="put the contacts into this list, made if it is new")
        parser.add_argument("--tag", metavar="NAME", help="put this tag on the contacts")
        parser.add_argument("--dry-run", action="store_true", help="say what each row would become, and import nothing")
        parser.add_argument("--note", default="", help="the wording people agreed to, or where the proof is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"No tenant has the slug {options['tenant']!r}.")
        path: Path = options["file"]
        try:
            with path.open("rb") as file:
                job = self._start(tenant, path.name, iter(lambda: file.read(PART_BYTES), b""), options)
        except OSError as error:
            raise CommandError(f"Cannot read {path}: {error.strerror}") from None
        self._run(tenant, job)
        self.stdout.write(json.dumps(self._summary(tenant, job, path)))

    def _start(self, tenant: Tenant, name: str, content: Iterable[bytes], options: dict[str, Any]) -> ContactImport:
        basis = options["consent_basis"]
        try:
            with tenant_scope(tenant.id):
                job = upload_import(tenant=tenant, file_name=name, content=content, user_id=None)
                begin = check_import if options["dry_run"] else start_import
                begin(
                    job=job,
                    columns=job.columns,
                    basis=basis,
                    purposes=options["purpose"] or _usual_purposes(basis),
                    consent_note=options["note"],
                    contact_list=ContactList.objects.get_or_create(name=options["list"])[0]
                    if options["list"]
                    else None,
                    tag=get_or_create_tag(name=options["tag"]) if options["tag"] else None,
                    by_caller=True,
                )
        except FileProblem as problem:
            raise CommandError(str(problem)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        return job

    def _run(self, tenant: Tenant, job: ContactImport) -> None:
        """Import here; should a worker have taken it over, wait for that one."""
        while True:
            run_import(tenant.id, job.id)
            with tenant_scope(tenant.id):
                if not ContactImport.objects.filter(id=job.id, status__in=ContactImport.WORKING).exists():
                    return
            time.sleep(0.5)

    def _summary(self, tenant: Tenant, job: ContactImport, path: Path) -> dict[str, object]:
        rejected_file = ""
        with tenant_scope(tenant.id):
            done = ContactImport.objects.get(id=job.id)
            if done.counts.get("rejected"):
                rejected_file = str(path.with_name(f"{path.stem}-rejected.csv"))
                with Path(rejected_file).open("w", encoding="utf-8", newline="") as file:
                    csv.writer(file).writerows(rejected_rows(done))
        counts = {
            outcome: done.counts.get(outcome, 0)
            for outcome in ("created", "updated", "unchanged", "merged", "rejected")
        }
        signs = [each["sign"] for each in done.warnings]
        return {
            **counts,
            "rows": done.rows_total,
            "status": done.status,
            "warnings": signs,
            "rejected_file": rejected_file,
        }


def _usual_purposes(basis: str) -> list[str]:
    if basis == ContactImport.Basis.NONE:
        return []
    spoken = basis in (ContactImport.Basis.VERBAL, ContactImport.Basis.EXISTING_CUSTOMER)
    return [Purpose.TRANSACTIONAL if spoken else Purpose.MARKETING]
