"""From bytes to rows: stray quotes, damaged characters and unusual first lines cost as little as possible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.importing.decoding import Row, Table, read_table
from contacts.importing.records import MAX_KEPT_CHARACTERS
from contacts.importing.rows import Rejected, read_row

HEADER = "name,phone,note"


def rows(*lines: str, header: str = HEADER) -> list[Row]:
    return list(read_table("\n".join([header, *lines]).encode()).rows())


def people(count: int) -> list[str]:
    return [f"P{n},+12025550{100 + n},x" for n in range(count)]


# --- Quotation marks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ('Ann,+12025550180,5" tall', 'Zoe,+12025550181,6" tall'),
        ('Ann,+12025550180,5"', 'Zoe,+12025550181,6"'),
        ('Ann "A" A,+12025550180,', 'Zoe Z",+12025550181,'),
    ],
)
def test_inch_marks_are_characters_like_others(first: str, last: str) -> None:
    found = rows(first, *people(18), last)
    assert [row.problem for row in found] == [""] * 20
    assert found[0].cells == first.split(",")
    assert found[-1].cells == last.split(",")


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ('Ann,+12025550180,"tall', 'Zoe,+12025550181,"small'),
        ('Ann,+12025550180,"tall', 'Zoe,+12025550181,6" small'),
        ('"Ann,+12025550180,tall', "Zoe,+12025550181,small"),
    ],
)
def test_an_opened_quote_that_does_not_close_properly_costs_its_own_row(first: str, last: str) -> None:
    found = rows(first, *people(18), last)
    assert "not closed" in found[0].problem
    assert [row.problem for row in found[1:19]] == [""] * 18
    assert found[0].cells == first.split(",")


def test_rows_swallowed_by_two_quotes_are_handed_back_each() -> None:
    found = rows('Ann,+12025550180,"tall', *people(3), 'Zoe,+12025550181,tall"', "Yan,+12025550182,x")
    assert [("join" in row.problem, row.cells[0]) for row in found] == [
        (True, "Ann"),
        (True, "P0"),
        (True, "P1"),
        (True, "P2"),
        (True, "Zoe"),
        (False, "Yan"),
    ]
    assert [row.number for row in found] == list(range(2, 8))


def test_a_record_with_more_cells_than_the_header_is_handed_back_by_line() -> None:
    found = rows('Ann,"a', 'b",+12025550180,x,y,z', "Yan,+12025550182,x")
    assert [(bool(row.problem), row.cells[0]) for row in found] == [(True, "Ann"), (True, 'b"'), (False, "Yan")]


@pytest.mark.parametrize(
    ("record", "cells"),
    [
        ('Ann,+12025550180,"Hello,\nthe ""big"" one,\nYours"', ["Ann", "+12025550180", 'Hello,\nthe "big" one,\nYours']),
        ('"Ann\nBaker",+12025550180,x', ["Ann\nBaker", "+12025550180", "x"]),
        ('"12 Main St\nBoston, MA","+12025550180","two\nlines"', ["12 Main St\nBoston, MA", "+12025550180", "two\nlines"]),
        ('"Ann","5"" tall","x"', ["Ann", '5" tall', "x"]),
        ('"","",",\n"', ["", "", ",\n"]),
    ],
)  # fmt: skip
def test_cells_over_several_lines_stay_whole(record: str, cells: list[str]) -> None:
    found = rows(record, "Yan,+12025550182,x")
    assert [row.cells for row in found] == [cells, ["Yan", "+12025550182", "x"]]
    assert [row.problem for row in found] == ["", ""]


def test_cells_of_an_unreadable_row_are_kept_to_be_corrected() -> None:
    long = "n" * 1_900
    (row, *_) = rows(f'"Ann,+12025550180,{long}', *people(30))
    assert row.cells == ['"Ann', "+12025550180", long]
    (row, *_) = rows(f"Ann,+12025550180,{'n' * 40_000}")
    assert row.cells == ["Ann", "+12025550180", "n" * MAX_KEPT_CHARACTERS]


@given(st.lists(st.text(alphabet='ab,"\n ', max_size=30), max_size=30))
def test_no_line_is_lost(lines: list[str]) -> None:
    """Whatever the quotes: each letter of the file stands in some row."""
    found = rows(*lines)
    text = "".join(cell for row in found for cell in row.cells)
    for letter in "ab":
        assert text.count(letter) == "".join(lines).count(letter)


# --- Characters ---------------------------------------------------------------------------------------------------


def names(content: bytes) -> list[str]:
    """The names of the people, and the reasons of the rejected."""
    table, found = read_table(content), []
    for row in table.rows():
        try:
            found.append(read_row(row.cells, ["number", "first_name", ""], "US").first_name)
        except Rejected as problem:
            found.append(str(problem))
    return found


def test_a_wrong_byte_costs_its_row_and_no_name_is_garbled() -> None:
    content = "phone,name,note\n+12025550101,José,\n+12025550102,Ñandú,\n".encode()
    damaged = content + b"+12025550103,Z\xff,\n+12025550104,Zoe,\xff\n"
    for bom in (b"", b"\xef\xbb\xbf"):
        jose, nandu, z, zoe = names(bom + damaged)
        assert (jose, nandu, zoe) == ("José", "Ñandú", "Zoe")
        assert z.startswith("“First name” has a character that cannot be read")


def test_a_file_cut_off_in_the_middle_of_a_letter() -> None:
    assert names("phone,name\n+12025550101,José\n+12025550102,José".encode()[:-1])[0] == "José"


@pytest.mark.parametrize("name", ["José", "Zoë", "CAFÉ’S", "Müller–Lüdenscheidt", "Ünal"])
def test_the_code_page_of_windows_is_still_read(name: str) -> None:
    content = f"phone,name\n+12025550101,{name}\n+12025550102,Renée\n+12025550103,Noël\n".encode("cp1252")
    assert names(content) == [name, "Renée", "Noël"]


# --- The first line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "header", "first"),
    [
        ('"Phone\nnumber",Name\n+12025550101,Ann\n', ["Phone number", "Name"], ["+12025550101", "Ann"]),
        ('Name;"Phone,\r\nmobile";"a;b"\r\nAnn;+12025550101;x\r\n', ["Name", "Phone, mobile", "a;b"], ["Ann", "+12025550101", "x"]),
        ('Name,5",Phone\nAnn,x,+12025550101\nBen,"y",+12025550102\n', ["Name", '5"', "Phone"], ["Ann", "x", "+12025550101"]),
        ("sep=;\r\nphone;name, first\r\n+12025550101;Ann\r\n", ["phone", "name, first"], ["+12025550101", "Ann"]),
        ('"sep=,"\n\nphone,a;b;c\n+12025550101,Ann\n', ["phone", "a;b;c"], ["+12025550101", "Ann"]),
        ("SEP=\t\nphone\tname\n+12025550101\tAnn\n", ["phone", "name"], ["+12025550101", "Ann"]),
        ("sep=^\nphone^name\n+12025550101^Ann\n", ["phone", "name"], ["+12025550101", "Ann"]),
        ("'=name,'+phone\nAnn,+12025550101\n", ["=name", "+phone"], ["Ann", "+12025550101"]),
    ],
)  # fmt: skip
def test_first_lines_as_programs_write_them(content: str, header: list[str], first: list[str]) -> None:
    table: Table = read_table(content.encode())
    assert table.header == header
    assert next(table.rows()).cells == first
