"""How much a tenant may import, and how it is told."""

from dataclasses import dataclass

from django.conf import settings

__all__ = ["FileProblem", "Limits", "limits"]


class FileProblem(ValueError):
    """The file as a whole cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file, and on files that are not imported yet."""

    file_bytes: int
    rows: int
    unfinished: int

    @property
    def megabytes(self) -> int:
        """The bound on a file's size in MB, as people are told."""
        return self.file_bytes // (1024 * 1024)

    def check_bytes(self, size: int) -> None:
        """Raises ``FileProblem`` for a file that is too large."""
        if size > self.file_bytes:
            raise FileProblem(f"The file is larger than {self.megabytes} MB. Split it and import the parts.")

    def check_lines(self, count: int) -> None:
        """Raises ``FileProblem`` for a file with too many lines."""
        if count > self.rows:
            raise FileProblem(f"The file has more than {self.rows:,} lines. Split it and import the parts.")


def limits() -> Limits:
    """The bounds in force."""
    return Limits(settings.IMPORT_MAX_BYTES, settings.IMPORT_MAX_ROWS, settings.IMPORT_MAX_UNFINISHED)
