"""Named places where a test lets the process die as ``kill -9`` does: between two steps that must survive it.

Nothing happens unless the environment arms failpoints and names one: ``FAILPOINTS=armed FAILPOINT=after_intent``, or
``FAILPOINT=after_intent:3`` for the third time that a process comes by. ``tests/faults`` has a row for each name.
"""

import itertools
import os
from typing import Final

__all__ = ["DIED", "failpoint"]

DIED: Final = 137
"""The exit code, as of a process that was killed."""

_passed: Final = itertools.count(1)


def failpoint(name: str) -> None:
    """Die here if the environment says so."""
    if os.environ.get("FAILPOINTS") != "armed":
        return
    armed, _, nth = os.environ.get("FAILPOINT", "").partition(":")
    if name == armed and next(_passed) >= int(nth or 1):
        os._exit(DIED)
