"""`python -m smsplatform.embedded run`, which `make run` calls."""

import argparse
import os
import sys
from pathlib import Path

from smsplatform.embedded.supervisor import Supervisor

PROJECT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m smsplatform.embedded")
    run = parser.add_subparsers(required=True).add_parser(
        "run", help="run the whole product on this machine until Ctrl-C"
    )
    run.add_argument("--port", type=int, default=8000, help="web port on 127.0.0.1 (8000)")
    run.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("SMSPLATFORM_HOME") or "var"),
        help="data folder, absolute or below the project ($SMSPLATFORM_HOME, else var)",
    )
    run.add_argument("--stop-with-parent", action="store_true", help="also stop when the caller is stopped or killed")
    options = parser.parse_args()
    supervisor = Supervisor(
        home=(PROJECT / options.home).resolve(),
        port=options.port,
        follow_parent=options.stop_with_parent,
    )
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
