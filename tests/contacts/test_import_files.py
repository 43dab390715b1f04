"""Reading contact files: whatever program saved them, one bad row costs one row."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.formulas import plain_cell, safe_cell
from contacts.importing.columns import custom_name, guess_columns
from contacts.importing.consent_words import Said
from contacts.importing.decoding import MAX_LINE_CHARACTERS, FileProblem, read_table
from contacts.importing.rows import Rejected, read_row
from contacts.services import upload_import
from tenants.scope import tenant_scope
from tests.cast import Cast


@pytest.mark.parametrize(
    ("content", "header", "first"),
    [
        (b"name,phone\nAnn,2025550101\n", ["name", "phone"], ["Ann", "2025550101"]),
        (b"\xef\xbb\xbfname,phone\r\nAnn,2025550101\r\n", ["name", "phone"], ["Ann", "2025550101"]),
        ("name;phone\nJosé;2025550101\n".encode("latin-1"), ["name", "phone"], ["José", "2025550101"]),
        ("name\tphone\nZoë\t2025550101\n".encode("utf-16"), ["name", "phone"], ["Zoë", "2025550101"]),
        (b'name,phone\n"Ann ""the"" B, Jr.",2025550101\n', ["name", "phone"], ['Ann "the" B, Jr.', "2025550101"]),
        (b'name,phone\n"Ann\nBaker",2025550101\n', ["name", "phone"], ["Ann\nBaker", "2025550101"]),
        (b"\n\nname|phone\nAnn|2025550101", ["name", "phone"], ["Ann", "2025550101"]),
        ("name,phone\nline\u2028break,2025550101\n".encode(), ["name", "phone"], ["line\u2028break", "2025550101"]),
    ],
)
def test_files_as_programs_save_them(content: bytes, header: list[str], first: list[str]) -> None:
    table = read_table(content)
    assert table.header == header
    assert next(table.rows()).cells == first


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "empty"),
        (b"   \n\n", "empty"),
        (b",,\nx,y\n", "names of the columns"),
        (b"PK\x03\x04rest", "Unpack it"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel version"),
        (b"\xff\xfe\x00", "damaged"),
        (b",".join(b"c%d" % n for n in range(201)) + b"\nx", "201 columns"),
    ],
)
def test_files_that_cannot_be_read_say_what_to_do(content: bytes, hint: str) -> None:
    with pytest.raises(FileProblem, match=hint):
        read_table(content)


def test_an_unclosed_quote_costs_its_own_row() -> None:
    lines = ["name,phone", '"Ann,2025550101'] + [f"P{n},20255501{n:02d}" for n in range(30)]
    rows = list(read_table("\n".join(lines).encode()).rows())
    assert "not closed" in rows[0].problem
    assert [row.problem for row in rows[1:]] == [""] * 30
    assert [row.number for row in rows] == list(range(2, 33))


def test_a_huge_cell_costs_its_own_row() -> None:
    rows = list(read_table(b"name,phone\n" + b"A" * 2_000_000 + b",+12025550123\nAnn,2025550101\n").rows())
    assert "too long" in rows[0].problem
    assert len(rows[0].cells[0]) <= MAX_LINE_CHARACTERS
    assert rows[1].cells == ["Ann", "2025550101"]


@pytest.mark.parametrize(
    ("header", "samples", "columns"),
    [
        (["First Name", "Last Name", "Mobile Phone"], [], ["first_name", "last_name", "number"]),
        (["Customer", "Cell", "SMS Opt-In", "Opt-in date"], [], ["full_name", "number", "consent", "consent_at"]),
        (["a", "b"], [["Ann", "(202) 555-0101"], ["Ben", "202.555.0102"]], ["a", "number"]),
        (["Phone", "Phone 2", "City"], [], ["number", "phone_2", "city"]),
        (["phone", "tenant_id", "list_id"], [], ["number", "", ""]),
        (["Teléfono", "Nombre"], [["2025550101", "Ana"]], ["number", "first_name"]),
    ],
)
def test_columns_are_guessed(header: list[str], samples: list[list[str]], columns: list[str]) -> None:
    assert guess_columns(header, samples, "US") == columns


@given(st.text(max_size=60))
def test_names_of_further_values_are_merge_tag_names(title: str) -> None:
    from messaging.merge_tags import names

    name = custom_name(title)
    assert name == "" or names(f"{{{{ {name} }}}}") == [name]


COLUMNS = ["number", "first_name", "email", "timezone", "consent", "consent_at", "city"]
GOOD = ["(202) 555-0101", "Ann", "Ann@Mail.Example", "America/Denver", "Yes", "2026-03-31", "Boston"]


def changed(**cells: str) -> list[str]:
    return [cells.get(name, value) for name, value in zip(COLUMNS, GOOD, strict=True)]


def test_a_good_row() -> None:
    person = read_row(GOOD, COLUMNS, "US")
    assert (person.number, person.first_name, person.email, person.timezone) == (
        "+12025550101",
        "Ann",
        "ann@mail.example",
        "America/Denver",
    )
    assert person.said is Said.YES
    assert person.consent_at is not None
    assert person.fields == {"city": "Boston"}


def test_a_row_without_the_cell_that_says_who_agreed_is_a_no() -> None:
    assert read_row(["+12025550101"], ["number", "consent"], "US").said is Said.NO
    assert read_row(["+12025550101"], ["number"], "US").said is None


@pytest.mark.parametrize(
    ("cells", "hint"),
    [
        (changed(number=""), "empty"),
        (changed(number="none"), "not a phone number"),
        (changed(number="12345"), "No such number"),
        (changed(number="+1 202 555"), "No such number"),
        (changed(number="+44 909 879 0000"), "premium"),
        (changed(number="2" * 60), "too long"),
        (changed(email="ann@"), "e-mail"),
        (changed(timezone="Mars/Olympus"), "time zone"),
        (changed(consent="perhaps"), "yes or no"),
        (changed(consent_at="next week"), "date"),
        (changed(consent_at="2999-01-01"), "future"),
        (changed(consent_at="1989-12-31"), "before 1990"),
        (changed(consent_at="0001-01-01T00:00:00+14:00"), "before 1990"),
        (changed(consent_at="9999-12-31T23:59:59-14:00"), "future"),
        (changed(consent_at="31/03/2026"), "read as March 4, 2026"),
        (changed(first_name="x" * 81), "too long"),
        (changed(city="a\x00b"), "NUL"),
        ([*GOOD, "stray"], "cells"),
    ],
)
def test_a_bad_row_says_why(cells: list[str], hint: str) -> None:
    with pytest.raises(Rejected, match=hint):
        read_row(cells, COLUMNS, "US")


@pytest.mark.parametrize(
    "typed",
    [
        "+12025550123",
        "(202) 555-0123",
        "202.555.0123",
        "1 202 555 0123",
        "＋１２０２５５５０１２３",
        "+١٢٠٢٥٥٥٠١٢٣",
        "+12025550123;ext=5",
        "2025550123 x5",
    ],
)
def test_one_number_however_it_is_typed(typed: str) -> None:
    assert read_row([typed], ["number"], "US").number == "+12025550123"


@pytest.mark.parametrize(
    ("typed", "country", "read_as"),
    [
        ("03/04/2026", "US", "2026-03-04"),
        ("03/04/2026", "PR", "2026-03-04"),
        ("03/04/2026", "GB", "2026-04-03"),
        ("03/04/2026", "CA", "2026-04-03"),
        ("3-4-26 14:05", "US", "2026-03-04"),
        ("3-4-26", "DE", "2026-04-03"),
        ("03.04.2026", "US", "2026-04-03"),
        ("31/03/2026", "FR", "2026-03-31"),
        ("2026-03-04", "US", "2026-03-04"),
        ("2026-03-04", "GB", "2026-03-04"),
        ("2026/3/4", "GB", "2026-03-04"),
        ("2026-03-04T10:00:00+02:00", "GB", "2026-03-04"),
    ],
)
def test_dates_are_read_as_the_country_writes_them(typed: str, country: str, read_as: str) -> None:
    moment = read_row(["+12025550101", typed], ["number", "consent_at"], country).consent_at
    assert moment is not None
    assert moment.date().isoformat() == read_as


def test_today_may_have_begun_elsewhere() -> None:
    elsewhere = (datetime.now(UTC) + timedelta(hours=14)).date().isoformat()
    assert read_row(["+12025550101", elsewhere], ["number", "consent_at"], "US").consent_at


@given(st.lists(st.text(max_size=40), min_size=1, max_size=9))
def test_no_row_breaks_the_reader(cells: list[str]) -> None:
    with suppress(Rejected):
        read_row(cells, COLUMNS, "US")


@given(st.binary(max_size=400))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    with suppress(FileProblem):
        list(read_table(content).rows())


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-2", "'-2"),
        ("\tx", "'\tx"),
        ("＝1", "'＝1"),
        ("+cmd", "'+cmd"),
        ("+12025550123", "'+12025550123"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ('"=1+1', "'\"=1+1"),
        (" =1", "' =1"),
        ("Ann", "Ann"),
        ("1-2", "1-2"),
        ("", ""),
    ],
)
def test_no_cell_we_give_out_is_a_formula(cell: str, safe: str) -> None:
    assert safe_cell(cell) == safe


@given(st.text(alphabet="=+-@'\" \tab1", max_size=8))
def test_what_we_give_out_is_read_again_as_it_was(cell: str) -> None:
    plain = plain_cell(cell)
    assert plain_cell(safe_cell(plain)) == plain_cell(plain)


@pytest.mark.parametrize("cell", ["'+442079460018", "'+44 20 7946 0018", "+442079460018"])
def test_a_number_marked_as_text_is_a_number(cell: str) -> None:
    assert read_row([cell, "'=1", "'s Hertogenbosch"], ["number", "first_name", "city"], "US").number == "+442079460018"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"phone\n" + b"1\n" * 2_000_001, "more than 2,000,000 lines"),
        (b"phone," + b"x" * 201 + b"\n1,2\n", "longer than 200 characters"),
    ],
    ids=["lines", "title"],
)
def test_what_would_keep_everybody_waiting_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(FileProblem, match=problem):
        read_table(content)


def test_a_file_without_titles_is_not_robbed_of_its_first_person(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id), pytest.raises(FileProblem, match="looks like a person"):
        upload_import(
            tenant=cast.clinic.tenant, file_name="a.csv", content=b"Ann,202-555-0101\nBen,202-555-0102\n", user_id=None
        )


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Lee, Amy", "Amy", "Lee"),
        ("Amy Lee", "Amy", "Lee"),
        ("Amy", "Amy", ""),
        ("van Dam, Piet J.", "Piet J.", "van Dam"),
    ],
)
def test_full_names_are_split(full: str, first: str, last: str) -> None:
    person = read_row([full, "202-555-0101.0"], ["full_name", "number"], "US")
    assert (person.first_name, person.last_name, person.number) == (first, last, "+12025550101")
