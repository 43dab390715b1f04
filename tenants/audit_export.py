"""The audit log as a file for a spreadsheet program, page by page, so that its length does not matter."""

import csv
import json
from collections.abc import Iterator
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from common.formulas import safe_cell
from common.pages import page_by_id
from tenants.audit_log import AuditSearch, Line, as_lines, entries
from tenants.scope import tenant_scope

__all__ = ["export_rows"]

_HEAD: Final = ("When", "Who", "Platform admin", "Address", "What", "Act", "Kind", "Name", "Id", "Before", "After")
PAGE: Final = 1_000


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def export_rows(tenant_id: UUID, search: AuditSearch) -> Iterator[str]:
    """The lines of the file, newest first; each page is read in a transaction of its own."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow(_HEAD)
    cursor: str | None = None
    while cursor != "":
        with tenant_scope(tenant_id):
            page = page_by_id(entries(search), cursor, size=PAGE)
            lines = list(as_lines(page.rows, zone=search.zone))
        cursor = page.next
        for line in lines:
            yield writer.writerow([safe_cell(cell) for cell in _cells(line, search.zone)])


def _cells(line: Line, zone: str) -> list[str]:
    entry = line.entry
    return [
        f"{entry.at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %z}",
        entry.actor_name,
        "yes" if entry.by_platform else "",
        entry.address or "",
        line.sentence,
        entry.action,
        entry.target_kind,
        entry.target_name,
        str(entry.target_id or ""),
        json.dumps(entry.before, ensure_ascii=False) if entry.before else "",
        json.dumps(entry.after, ensure_ascii=False) if entry.after else "",
    ]
