"""Phone numbers: one identity however they are spelled, and why a text is none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import phone_numbers
from common.phone_numbers import NumberProblem, PhoneNumber, is_e164, parse, reading_format


def slowly(text: str, country: str) -> PhoneNumber | str:
    try:
        return phone_numbers._parse(text, country)
    except NumberProblem as problem:
        return str(problem)


def quickly(text: str, country: str) -> PhoneNumber | str:
    try:
        return parse(text, country)
    except NumberProblem as problem:
        return str(problem)


spellings = st.builds(
    lambda prefix, area, office, line, gap: f"{prefix}{area}{gap}{office}{gap}{line}",
    st.sampled_from(["", "1", "+1", "+1 ", "1-", "(", "+", "00"]),
    st.integers(0, 999).map(lambda n: f"{n:03d}"),
    st.integers(0, 999).map(lambda n: f"{n:03d}"),
    st.integers(0, 9999).map(lambda n: f"{n:04d}"),
    st.sampled_from(["", " ", "-", ".", ") "]),
)


@given(spellings, st.sampled_from(["US", "CA", "JM", "GB", "DE"]))
@settings(max_examples=600, deadline=None)
def test_the_quick_way_says_what_the_library_says(text: str, country: str) -> None:
    assert quickly(text, country) == slowly(text.strip(), country)


@pytest.mark.parametrize(
    ("typed", "country", "e164", "region"),
    [
        ("(202) 555-0123", "US", "+12025550123", "US"),
        ("+12025550123", "DE", "+12025550123", "US"),
        ("+1 416 555 0123", "US", "+14165550123", "CA"),
        ("030 901820", "DE", "+4930901820", "DE"),
        ("+44 7400 123456", "US", "+447400123456", "GB"),
        ("0612345678", "FR", "+33612345678", "FR"),
        ("+1 800 555 0123", "US", "+18005550123", "US"),
    ],
)
def test_numbers_of_many_countries(typed: str, country: str, e164: str, region: str) -> None:
    assert parse(typed, country).e164 == e164
    if region != "US" or not e164.startswith("+1800"):
        assert parse(typed, country).country == region


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    answer = quickly(text, "US")
    assert isinstance(answer, str) or is_e164(answer.e164)


@pytest.mark.parametrize(
    ("number", "read"),
    [("+12025550123", "(202) 555-0123"), ("+442079460018", "+44 20 7946 0018"), ("12345", "12345"), ("", "")],
)
def test_reading_format(number: str, read: str) -> None:
    assert reading_format(number) == read
