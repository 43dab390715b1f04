"""Excel workbooks: checked as archives first, then read by a process with narrow limits.

A workbook is a zip archive, and what an archive says about itself may be a lie. So its directory is asked first, which
costs nothing; then the sheets are unpacked into nothing, counting; only then are they read. No name in the archive is
ever used as a path.
"""

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from contacts.importing.limits import FileProblem

__all__ = ["Workbook", "is_archive"]

MEGABYTE: Final = 1024 * 1024
_MAX_ENTRIES: Final = 2_000
_MAX_UNPACKED: Final = 1_200 * MEGABYTE
_MAX_RATIO: Final = 60
"""Sheets shrink to a tenth or a twentieth; what shrinks to less was made to be unpacked."""
_RATIO_COUNTS_FROM: Final = 8 * MEGABYTE
_READ: Final = re.compile(r"xl/(?:worksheets/[^/]+\.xml|sharedStrings\.xml|styles\.xml|workbook\.xml)", re.IGNORECASE)
_PIECE: Final = 256 * 1024
_SECONDS: Final = 30
_READER: Final = Path(__file__).with_name("sheet_reader.py")

_BOMB: Final = "This file unpacks to far more than a list of people needs, so it is not opened. Save it as CSV instead."
_NO_WORKBOOK: Final = (
    "This is a packed file (zip) and no Excel workbook. Unpack it, and upload the CSV file or the workbook in it."
)
_UNREADABLE: Final = (
    "This workbook cannot be read. In your spreadsheet program choose Save as > CSV, and upload that file."
)


def is_archive(beginning: bytes) -> bool:
    """Whether a file begins like a zip archive, as Excel workbooks do."""
    return beginning.startswith(b"PK\x03\x04")


class Workbook:
    """A workbook on disk; raises ``FileProblem`` for one that cannot be read, or should not be."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sheet = ""
        """The name of the sheet, once it has been read."""
        try:
            with zipfile.ZipFile(path) as archive:
                self._unpacked = _check(archive)
        except FileProblem:
            raise
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
            raise FileProblem(_UNREADABLE) from None

    def csv(self) -> Iterator[bytes]:
        """The first sheet that holds anything, as CSV."""
        megabytes = 256 + 4 * self._unpacked // MEGABYTE
        seconds = _SECONDS + self._unpacked // (4 * MEGABYTE)
        command = [sys.executable, "-I", str(_READER), str(self.path), str(megabytes), str(seconds)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            assert process.stderr is not None  # noqa: S101 - a pipe was asked for
            try:
                yield from _pieces(process.stdout)
            except BaseException:
                process.kill()
                raise
            self.sheet = process.stderr.readline().decode(errors="replace").strip()[:100]
            if process.wait():
                raise FileProblem(_UNREADABLE)
            if not self.sheet:
                raise FileProblem("The workbook is empty.")


def _pieces(output: IO[bytes]) -> Iterator[bytes]:
    while piece := output.read(_PIECE):
        yield piece


def _check(archive: zipfile.ZipFile) -> int:
    """How many bytes the sheets unpack to."""
    entries = archive.infolist()
    if len(entries) > _MAX_ENTRIES:
        raise FileProblem(_BOMB)
    _check_size(sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries))
    names = {entry.filename.lower() for entry in entries}
    if not {"[content_types].xml", "xl/workbook.xml"} <= names:
        raise FileProblem(_NO_WORKBOOK)
    unpacked = 0
    packed = sum(entry.compress_size for entry in entries)
    for entry in entries:
        if _READ.fullmatch(entry.filename):
            with archive.open(entry) as file:
                while piece := file.read(_PIECE):
                    unpacked += len(piece)
                    _check_size(unpacked, packed)
    return unpacked


def _check_size(unpacked: int, packed: int) -> None:
    if unpacked > _MAX_UNPACKED or (unpacked > _RATIO_COUNTS_FROM and unpacked > _MAX_RATIO * max(1, packed)):
        raise FileProblem(_BOMB)
