"""Excel workbooks: read by a process with narrow limits, see ``sheet_reader``."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from contacts.importing.limits import FileProblem
from contacts.importing.sheet_reader import BOMB, NO_WORKBOOK, TOO_LARGE

__all__ = ["Workbook", "is_archive"]

_PIECE: Final = 256 * 1024
_READER: Final = Path(__file__).with_name("sheet_reader.py")

_UNREADABLE: Final = (
    "This workbook cannot be read. In your spreadsheet program choose Save as > CSV, and upload that file."
)
_TOO_LARGE: Final = (
    "This workbook takes too much memory or time to read. In your spreadsheet program choose Save as > CSV, and upload "
    "that file, which may be larger."
)
_PROBLEMS: Final = {
    TOO_LARGE: _TOO_LARGE,
    BOMB: "This file unpacks to far more than a list of people needs, so it is not opened. Save it as CSV instead.",
    NO_WORKBOOK: (
        "This is a packed file (zip) and no Excel workbook. Unpack it, and upload the CSV file or the workbook in it."
    ),
}


def is_archive(beginning: bytes) -> bool:
    """Whether a file begins like a zip archive, as Excel workbooks do."""
    return beginning.startswith(b"PK\x03\x04")


class Workbook:
    """A workbook on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sheet = ""
        """The name of the sheet, once it has been read."""

    def csv(self) -> Iterator[bytes]:
        """The first sheet that holds anything, as CSV.

        Raises ``FileProblem`` for a workbook that cannot be read, or should not be.
        """
        command = [sys.executable, "-I", str(_READER), str(self.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            assert process.stderr is not None  # noqa: S101 - a pipe was asked for
            try:
                yield from _pieces(process.stdout)
            except BaseException:
                process.kill()
                raise
            self.sheet = process.stderr.readline().decode(errors="replace").strip()[:100]
            if status := process.wait():
                # Below zero: ended by its limits.
                raise FileProblem(_TOO_LARGE if status < 0 else _PROBLEMS.get(status, _UNREADABLE))
            if not self.sheet:
                raise FileProblem("The workbook is empty.")


def _pieces(output: IO[bytes]) -> Iterator[bytes]:
    while piece := output.read(_PIECE):
        yield piece
