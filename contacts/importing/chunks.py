"""Rows that are stored together: as many as one statement takes well, and no more than fit into a little memory."""

from collections.abc import Iterable, Iterator
from typing import Final

from contacts.importing.staging import StagedRow

__all__ = ["chunks"]

_MOST_BYTES: Final = 16_000_000
"""Three chunks are in memory at a time: one is being read, one waits, one is being stored."""
_BYTES_OF_CELL: Final = 60
"""What a cell takes besides its characters."""


def chunks(rows: Iterable[StagedRow], most_rows: int) -> Iterator[list[StagedRow]]:
    """The rows in chunks of so many, or of fewer where they are wide."""
    chunk: list[StagedRow] = []
    size = 0
    for staged in rows:
        chunk.append(staged)
        cells = staged.row.cells
        size += len(staged.line) + sum(map(len, cells)) + _BYTES_OF_CELL * len(cells)
        if len(chunk) == most_rows or size > _MOST_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
