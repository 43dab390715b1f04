"""``make bench``: runs the benchmarks, prints one JSON object a line and keeps them in ``results/latest.json``."""

import argparse
import gc
import importlib
import json
import os
from pathlib import Path

from benchmarks.stack import servers

BENCHMARKS = (
    "campaign",
    "clients",
    "contact_search",
    "dispatch",
    "gate",
    "import_contacts",
    "import_variants",
    "ledger",
    "receipts",
    "stops",
    "web_server",
)


def main() -> None:
    """Run all benchmarks, or the one named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=BENCHMARKS)
    chosen = parser.parse_args().only
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    results = []
    with servers():
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        # Nobody sleeps while it is measured how fast they can be texted.
        importlib.import_module("tests.afternoon").allow_every_hour()
        # As the product's workers do (smsplatform.celery).
        gc.collect()
        gc.freeze()
        for name in BENCHMARKS:
            if chosen in (None, name):
                for line in importlib.import_module(f"benchmarks.{name}").run():
                    print(json.dumps(line), flush=True)
                    results.append(line)
    path = Path(__file__).with_name("results") / "latest.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
