"""``manage.py verify_ledger --tenant SLUG``: replay the consent ledger; exit 0 only if it holds."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from consent.models import Checkpoint, ConsentRecord
from consent.notes import public_key_line
from consent.replay import problems
from consent.sealing import signer
from consent.verifier import Invalid, read_keys
from tenants.models import Tenant
from tenants.scope import tenant_scope

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Replay a tenant's consent ledger: entries, chains, tree, checkpoints, current state. Exit 0 only if it holds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument(
            "--key", type=Path, help="a file with the public keys, one a line (default: those of the settings)"
        )
        parser.add_argument(
            "--checkpoint", type=Path, action="append", default=[], help="a checkpoint that was kept elsewhere"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"No tenant has the slug {options['tenant']!r}.")
        held = [path.read_text(encoding="utf-8") for path in options["checkpoint"]]
        try:
            keys = read_keys(options["key"].read_text() if options["key"] else _own_keys())
        except (Invalid, ValueError):
            raise CommandError("These are no public keys.") from None
        alone = not connection.in_atomic_block
        with tenant_scope(tenant.id):
            if alone:
                with connection.cursor() as cursor:
                    # All of it as of one moment, while others go on writing.
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    cursor.execute("SET LOCAL statement_timeout = 0")
            found = list(problems(keys, held))
            entries, checkpoints = ConsentRecord.objects.count(), Checkpoint.objects.count()
        for problem in found[:SHOWN]:
            self.stdout.write(problem)
        if found:
            self.stdout.write(f"DOES NOT HOLD: {len(found)} problems")
            sys.exit(1)
        self.stdout.write(f"holds: {entries} records, {checkpoints} checkpoints")


def _own_keys() -> str:
    """From the settings, not from the database: who can change that one could put a key of their own there."""
    return "\n".join([public_key_line(signer().public_key), *settings.LEDGER_PUBLIC_KEYS])
