"""``manage.py doctor``: says what is misconfigured or stuck, and what to do."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.timesince import timesince

from smsplatform.doctor import Diagnosis, diagnoses

__all__ = ["Command"]


class Command(BaseCommand):
    """Exit status 1 when anything is wrong."""

    help = "Says what is misconfigured or stuck, and what to do."
    # A misconfiguration is what it is asked about.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *_: Any, **options: Any) -> None:
        found = 0
        for diagnosis in diagnoses():
            found += 1
            self.stdout.write(_as_json(diagnosis) if options["json"] else _in_words(diagnosis))
        if not found:
            self.stdout.write(json.dumps({"ok": True}) if options["json"] else "All is well.")
            return
        sys.exit(1)


def _in_words(diagnosis: Diagnosis) -> str:
    where, finding = diagnosis
    count = f" ({finding.counted})" if finding.count > 1 else ""
    since = f", since {timesince(finding.since)}" if finding.since else ""
    return f"{where}: {finding.what}{count}{since}.\n    {finding.advice}"


def _as_json(diagnosis: Diagnosis) -> str:
    where, finding = diagnosis
    since = finding.since.isoformat() if finding.since else None
    return json.dumps(
        {"where": where, "what": finding.what, "count": finding.count, "since": since, "advice": finding.advice}
    )
