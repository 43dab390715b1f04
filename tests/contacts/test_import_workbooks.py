"""Excel workbooks: what they hold is read as people typed it, and those made to do harm are not opened."""

import io
import zipfile
from datetime import date

import openpyxl
import pytest

from contacts.importing.files import table_of
from contacts.importing.limits import FileProblem
from contacts.models import ContactImport
from contacts.services import upload_import
from tenants.scope import tenant_scope
from tests.cast import Cast


def workbook(*sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def upload(cast: Cast, content: bytes, name: str = "people.xlsx") -> ContactImport:
    with tenant_scope(cast.clinic.tenant.id):
        return upload_import(tenant=cast.clinic.tenant, file_name=name, content=content, user_id=None)


def test_cells_are_read_as_people_typed_them(cast: Cast) -> None:
    rows = [
        ["Phone", "Name", "Opt in", "Since", "Share", "Sum"],
        [2025550101, "José", True, date(2026, 3, 4), 0.5, "=1+1"],
        [],
        ["(202) 555-0102", "two\nlines", False, None, 12, None],
    ]
    job = upload(cast, workbook([], rows))
    assert (job.sheet, job.columns[0]) == ("Sheet 1", "number")
    with tenant_scope(cast.clinic.tenant.id):
        found = [(row.number, row.cells) for row in table_of(job).rows()]
    assert found == [
        (2, ["2025550101", "José", "yes", "2026-03-04", "0.5", ""]),
        (4, ["(202) 555-0102", "two\nlines", "no", "", "12", ""]),
    ]


BOMB = b"A" * (64 * 1024 * 1024)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (archive(**{"people.csv": b"phone\n+12025550101\n"}), "Unpack it"),
        (archive(**{"c.csv": BOMB}), "unpacks to far more"),
        (archive(**{"xl__sharedStrings.xml": BOMB, "[Content_Types].xml": b"<Types/>"}), "unpacks to far more"),
        (archive(**{f"e{n}": b"" for n in range(2_001)}), "unpacks to far more"),
        (archive(**{"[Content_Types].xml": b"<Types/>", "xl__workbook.xml": b"<workbook"}), "cannot be read"),
        (b"PK\x03\x04 a workbook", "cannot be read"),
        (workbook([]), "empty"),
    ],
    ids=["csv", "csv bomb", "sheet bomb", "entries", "broken", "cut", "empty"],
)
def test_what_is_no_good_workbook_is_refused(cast: Cast, content: bytes, hint: str) -> None:
    with pytest.raises(FileProblem, match=hint):
        upload(cast, content)


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([["Phone"], [2025550101]], ["Phone"]),
        ([["Phone", "Name"], [2025550101]], ["Phone", "Name"]),
    ],
)
def test_one_column_or_one_row_is_enough(cast: Cast, rows: list[list[object]], header: list[str]) -> None:
    job = upload(cast, workbook([], rows))
    assert (job.header, job.sheet, job.rows_total) == (header, "Sheet 1", 1)


def test_a_sheet_of_titles_alone_says_so(cast: Cast) -> None:
    with pytest.raises(FileProblem, match="no rows"):
        upload(cast, workbook([["Phone", "Name"]]))
