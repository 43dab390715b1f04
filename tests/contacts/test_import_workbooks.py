"""Excel workbooks: what they hold is read as people typed it, and those made to do harm are not opened."""

import io
import json
import subprocess
import sys
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


def test_an_archive_that_lies_about_its_size_is_refused(cast: Cast) -> None:
    """The directory says 10 bytes, the entry holds 64 MB."""
    content = archive(**{"[Content_Types].xml": b"<Types/>", "xl__workbook.xml": b"x", "xl__sharedStrings.xml": BOMB})
    lie = content.replace(len(BOMB).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lie != content
    with pytest.raises(FileProblem):
        upload(cast, lie)


_MEASURED = r"""
import json, re, resource, sys
from pathlib import Path
from contacts.importing.limits import FileProblem
from contacts.importing.workbooks import Workbook
try:
    list(Workbook(Path(sys.argv[1])).csv())
except FileProblem as problem:
    print(json.dumps({"problem": str(problem)}))
# Not RUSAGE_SELF: what the starting process had at its most counts there too.
own = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
print(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
"""


@pytest.mark.parametrize("kind", ["bomb", "wide"])
def test_a_hostile_workbook_costs_little_memory(tmp_path: object, kind: str) -> None:
    """Measured in a process of its own: a bomb, and one cell in the last column of the last row."""
    from pathlib import Path

    path = Path(str(tmp_path)) / "hostile.xlsx"
    if kind == "bomb":
        path.write_bytes(archive(**{"xl__sharedStrings.xml": BOMB * 4, "[Content_Types].xml": b"<Types/>"}))
    else:
        book = openpyxl.Workbook()
        book.active["A1"] = "phone"
        book.active["XFD1048576"] = "+12025550101"
        book.save(path)
    program = "import os; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'smsplatform.settings'); import django; django.setup()\n"
    run = subprocess.run(
        [sys.executable, "-c", program + _MEASURED, str(path)], capture_output=True, text=True, check=True
    )
    *said, peak = run.stdout.splitlines()
    assert "problem" in json.loads(said[0])
    assert int(peak) < 300 * 1024
