"""A program of its own that writes the first sheet of a workbook that holds anything as CSV to its output.

``python -m contacts.importing.sheet_reader PATH MEGABYTES SECONDS``: it may use so much memory and processor time. A
workbook made to exhaust its reader ends this process and nothing else. The first line of its error output is the name of
the sheet. It imports nothing of the platform's.
"""

import csv
import io
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

__all__ = ["main"]

MAX_COLUMNS = 1_000


def main(path: str, megabytes: int, seconds: int) -> int:
    """Returns the exit status: 0, or 3 when the workbook cannot be read."""
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # After the limits: reading is what may exhaust them.
    from python_calamine import CalamineError, load_workbook  # noqa: PLC0415

    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=False)
    try:
        book = load_workbook(path)
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            if sheet.total_height and sheet.total_width:
                sys.stderr.write(f"{name}\n")
                csv.writer(out, lineterminator="\n").writerows(_rows(sheet.iter_rows()))
                break
        out.flush()
    except (CalamineError, MemoryError, ValueError):
        return 3
    return 0


def _rows(rows: Iterable[Sequence[object]]) -> Iterator[list[str]]:
    """The rows from the first that holds anything."""
    begun = False
    for row in rows:
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
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
