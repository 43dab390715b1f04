"""A program of its own that writes the first sheet of a workbook that holds anything as CSV to its output.

``python -I sheet_reader.py PATH``. A workbook is a zip archive made by somebody else: it is taken apart here and nowhere
else, with so much memory and processor time and no more, so that one made to exhaust its reader ends this process and
nothing else. What an archive says about itself may be a lie, so its entries are unpacked into nothing, counting, before
they are read. No name in the archive is ever used as a path.

The first line of the error output is the name of the sheet, the exit status says how it went. It imports nothing of the
platform's.
"""

import csv
import io
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

__all__ = ["main"]

READ, UNREADABLE, BOMB, NO_WORKBOOK, TOO_LARGE = 0, 3, 4, 5, 6

MEGABYTE = 1024 * 1024
MEMORY = 340 * MEGABYTE
"""A third of it is the reader itself."""
SECONDS = 30
MAX_COLUMNS = 1_000
MAX_CELLS = 4_000_000
"""As many as fit into the memory, if they are short."""
MAX_ENTRIES = 2_000
MAX_UNPACKED = 300 * MEGABYTE
MAX_RATIO = 60
"""Sheets shrink to a tenth or a twentieth; what shrinks to less was made to be unpacked."""
RATIO_COUNTS_FROM = 8 * MEGABYTE
PIECE = 256 * 1024
IN_DIRECTORY = b"PK\x01\x02"


class Refused(Exception):
    """It is not read; carries the exit status."""


def main(path: str) -> int:
    """Returns the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        check(path)
        write_sheet(path)
    except Refused as refused:
        return int(refused.args[0])
    except MemoryError:
        return TOO_LARGE
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        return UNREADABLE
    return READ


def check(path: str) -> None:
    """Raises ``Refused`` for an archive that is no workbook, or was made to do harm."""
    with open(path, "rb") as file:
        # Before the directory is read, of which there may be more than fits into the memory.
        if sum(piece.count(IN_DIRECTORY) for piece in iter(lambda: file.read(PIECE), b"")) > MAX_ENTRIES:
            raise Refused(BOMB)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        check_size(sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries))
        if not {"[content_types].xml", "xl/workbook.xml"} <= {entry.filename.lower() for entry in entries}:
            raise Refused(NO_WORKBOOK)
        total = cells = 0
        for entry in entries:
            unpacked = 0
            with archive.open(entry) as content:
                while piece := content.read(PIECE):
                    unpacked += len(piece)
                    cells += piece.count(b"<c")
                    check_size(unpacked, entry.compress_size)
                    check_size(total + unpacked, MAX_UNPACKED)
                    if cells > MAX_CELLS:
                        raise Refused(TOO_LARGE)
            total += unpacked


def check_size(unpacked: int, packed: int) -> None:
    """Raises ``Refused`` for more than a list of people needs."""
    if unpacked > MAX_UNPACKED or (unpacked > RATIO_COUNTS_FROM and unpacked > MAX_RATIO * max(1, packed)):
        raise Refused(BOMB)


def write_sheet(path: str) -> None:
    """Write the first sheet that holds anything, if there is one."""
    # After the limits: reading is what may exhaust them.
    from python_calamine import CalamineError, load_workbook  # noqa: PLC0415

    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=False)
    try:
        book = load_workbook(path)
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            if sheet.height and sheet.width:
                sys.stderr.write(f"{name}\n")
                csv.writer(out, lineterminator="\n").writerows(rows(sheet.iter_rows()))
                break
    except CalamineError:
        raise Refused(UNREADABLE) from None
    out.flush()


def rows(found: Iterable[Sequence[object]]) -> Iterator[list[str]]:
    """The rows from the first that holds anything."""
    begun = False
    for row in found:
        cells = [text(cell) for cell in row[:MAX_COLUMNS]]
        begun = begun or any(cells)
        if begun:
            yield cells


def text(cell: object) -> str:
    """A cell as people would have typed it."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell).replace("\r\n", "\n").replace("\r", "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
