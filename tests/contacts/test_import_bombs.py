"""Files made to exhaust whoever reads them are refused, and cost little memory: measured in a process of their own."""

import io
import json
import os
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import openpyxl
import pytest
from django.db import connection

from contacts.importing.decoding import open_table
from tests.cast import Cast, make_cast

MEGABYTE = 1024 * 1024
MEMORY = 300 * MEGABYTE
UNPACKED = 320
"""Megabytes; a process that unpacks them into memory has more than it may."""

_TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
_RELATION = (
    '<Relationship Id="r%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/>'
)
_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_BOOK = (
    f'<workbook {_MAIN} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="People" sheetId="1" r:id="r1"/></sheets></workbook>'
)
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
_PHONE = '<row r="1"><c r="A1" t="inlineStr"><is><t>phone</t></is></c></row>'


def sheet(*rows: bytes) -> Iterator[bytes]:
    yield f"<worksheet {_MAIN}><sheetData>{_PHONE}".encode()
    yield from rows
    yield b"</sheetData></worksheet>"


def strings() -> Iterator[bytes]:
    yield f"<sst {_MAIN}>".encode()
    yield from [b"<si><t>" + b"A" * MEGABYTE + b"</t></si>"] * UNPACKED
    yield b"</sst>"


def book(**entries: Iterator[bytes]) -> bytes:
    """A workbook that any reader opens, with these entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("[Content_Types].xml", _TYPES)
        file.writestr("_rels/.rels", _RELATIONS % _RELATION % (1, "officeDocument", "xl/workbook.xml"))
        file.writestr("xl/workbook.xml", _BOOK)
        known = _RELATION % (1, "worksheet", "worksheets/sheet1.xml") + _RELATION % (
            2,
            "sharedStrings",
            "sharedStrings.xml",
        )
        file.writestr("xl/_rels/workbook.xml.rels", _RELATIONS % known)
        for name, pieces in ({SHEET: sheet()} | entries).items():
            with file.open(name, "w") as entry:
                for piece in pieces:
                    entry.write(piece)
    return out.getvalue()


@cache
def long_strings() -> bytes:
    return book(**{STRINGS: strings()})


def noise(size: int) -> bytes:
    """Nothing that can be packed."""
    return random.Random(1).randbytes(size)


def columns(count: int) -> Iterator[bytes]:
    """Of ten thousand cells one is too odd to be packed well, so that nothing looks packed too well."""
    for number in range(count // 10_000):
        odd = random.Random(number).randbytes(5_000).hex().encode()
        yield b'<c t="inlineStr"><is><t>%s</t></is></c>' % odd + b"<c><v>1</v></c>" * 9_999


def wide_workbook() -> bytes:
    return book(**{SHEET: sheet(b'<row r="2">', *columns(10_000_000), b"</row>")})


def far_cell() -> bytes:
    """One cell in the last column of the last row."""
    out, workbook = io.BytesIO(), openpyxl.Workbook()
    workbook.active["A1"], workbook.active["XFD1048576"] = "phone", "+12025550101"
    workbook.save(out)
    return out.getvalue()


def padded() -> bytes:
    """A picture beside the bomb, with which the whole is not packed so well."""
    return book(**{STRINGS: strings(), "xl/media/image1.png": iter([noise(8 * MEGABYTE)])})


def lying() -> bytes:
    """The directory says 100 bytes."""
    honest = long_strings()
    with zipfile.ZipFile(io.BytesIO(honest)) as file:
        size = struct.pack("<I", file.getinfo(STRINGS).file_size)
    assert size in honest
    return honest.replace(size, struct.pack("<I", 100))


def zipped(name: str, content: bytes, times: int = 1) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file, file.open(name, "w") as entry:
        for _ in range(times):
            entry.write(content)
    return out.getvalue()


def nested() -> bytes:
    """Packed twice: what is seen first is small."""
    return zipped("people.xlsx", long_strings())


def many_entries() -> bytes:
    """A directory of a million entries: the file ends before it could say so."""
    return book() + b"PK\x01\x02" + (b"\0" * 42 + b"PK\x01\x02") * 1_000_000


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "columns.csv": (lambda: b"c," * 10_000_000 + b"\n+12025550101\n", "at most 200 of them"),
    "quoted columns.csv": (lambda: b'"c",' * 10_000_000 + b"\n+12025550101\n", "at most 200 of them"),
    "columns of two bytes.csv": (lambda: ("c," * 5_000_000).encode("utf-16"), "at most 200 of them"),
    "columns behind blank lines.csv": (lambda: b"\n" * 1_000 + b"phone," * 10_000_000, "at most 200 of them"),
    "columns.xlsx": (wide_workbook, "too much memory or time"),
    "far cell.xlsx": (far_cell, "too much memory or time"),
    "csv.zip": (lambda: zipped("c.csv", b"A" * MEGABYTE, UNPACKED), "unpacks to far more"),
    "blanks in a sheet.xlsx": (
        lambda: book(**{SHEET: sheet(*[b" " * MEGABYTE] * UNPACKED)}),
        "unpacks to far more",
    ),
    "strings.xlsx": (long_strings, "unpacks to far more"),
    "padded.xlsx": (padded, "unpacks to far more"),
    "lying.xlsx": (lying, "cannot be read"),
    "nested.xlsx": (nested, "no Excel workbook"),
    "entries.xlsx": (many_entries, "unpacks to far more"),
}

_UPLOAD = r"""
import json, re, resource, sys, time
from pathlib import Path
import django
from django.conf import settings
django.setup()
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from contacts.importing.files import PART_BYTES
from contacts.importing.limits import FileProblem
from contacts.services import upload_import
from tenants.models import Tenant
from tenants.scope import tenant_scope
tenant = Tenant.objects.get(slug=sys.argv[2])
for path in map(Path, sys.argv[3:]):
    began, said = time.monotonic(), ""
    try:
        with path.open("rb") as file, tenant_scope(tenant.id):
            pieces = iter(lambda: file.read(PART_BYTES), b"")
            upload_import(tenant=tenant, file_name=path.name, content=pieces, user_id=None)
    except FileProblem as problem:
        said = str(problem)
    seconds = time.monotonic() - began
    # Not RUSAGE_SELF: what the starting process had at its most counts there too.
    own = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
    peak = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024
    print(json.dumps({"name": path.name, "said": said, "peak": peak, "seconds": seconds}))
"""


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because another process looks for it."""
    return make_cast()


@pytest.mark.parametrize("archives", [False, True])
def test_they_are_refused_and_cost_little_memory(cast: Cast, tmp_path: Path, archives: bool) -> None:
    """The peak is that of the process so far."""
    bombs = {name: bomb for name, bomb in BOMBS.items() if name.endswith(".csv") != archives}
    for name, (make, _) in bombs.items():
        (tmp_path / name).write_bytes(make())
    database = str(connection.settings_dict["NAME"])
    run = subprocess.run(
        [sys.executable, "-c", _UPLOAD, database, cast.clinic.tenant.slug, *(str(tmp_path / name) for name in bombs)],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "smsplatform.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    sys.stdout.write(run.stdout)
    outcomes = [json.loads(line) for line in run.stdout.splitlines()]
    assert [each["name"] for each in outcomes] == list(bombs)
    assert [each for each in outcomes if bombs[each["name"]][1] not in each["said"]] == []
    assert [each for each in outcomes if each["peak"] > MEMORY] == []


def test_lines_without_end_are_read_one_at_a_time() -> None:
    """Rows are looked at together where a cell may go over several lines, but not these."""
    line = "\N{GRINNING FACE}".encode() + b"x" * 5_000_000 + b"\n"
    pieces = [b'phone,name\n+12025550101,"Ann\n', *[line] * 30, b"+12025550102,Ben\n"]
    tracemalloc.start()
    found = [row.problem[:15] for row in open_table(lambda: pieces, "utf-8").rows()]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == ["A quotation mar", *["The row is too "] * 30, ""]
    assert peak < 100 * MEGABYTE
