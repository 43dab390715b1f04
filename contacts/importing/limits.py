"""How much a tenant may import, and how it is told."""

from dataclasses import dataclass

from django.conf import settings

from tenants.models import Tenant

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
        """Raises ``FileProblem`` for a file with too many lines, its header included."""
        if count > self.rows + 1:
            raise self._too_many("lines")

    def check_rows(self, count: int) -> None:
        """Raises ``FileProblem`` for a file with too many rows below its header."""
        if count > self.rows:
            raise self._too_many("rows")

    def _too_many(self, what: str) -> FileProblem:
        return FileProblem(
            f"The file has more than {self.rows:,} {what}, which is the most for your account. Split it and import the "
            "parts, or ask the platform's team for more."
        )


def limits(tenant: Tenant | None = None) -> Limits:
    """The bounds in force: those that were set for the tenant, else those of its plan, else the platform's."""
    rows, unfinished = settings.IMPORT_MAX_ROWS, settings.IMPORT_MAX_UNFINISHED
    if tenant is not None:
        rows = min(rows, settings.IMPORT_TRIAL_ROWS) if tenant.in_trial else rows
        rows, unfinished = tenant.most_import_rows or rows, tenant.most_import_files or unfinished
    return Limits(settings.IMPORT_MAX_BYTES, rows, unfinished)
