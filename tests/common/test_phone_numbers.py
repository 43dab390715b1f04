"""Phone numbers: one identity however they are spelled, and why a text is none."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common import phone_numbers
from common.phone_numbers import NumberProblem, PhoneNumber, is_e164, parse, plain_mobile, reading_format


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
@example("+0450100000", "US")
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


@st.composite
def mobiles(draw: st.DrawFn) -> tuple[str, str]:
    """A text close to a mobile number of some country, as typed there or elsewhere, and where it is typed."""
    country = draw(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    national = str(example.national_number) if example else "2025550123"
    digits = list(national)
    for place in draw(st.lists(st.integers(0, len(digits) - 1), max_size=3)):
        digits[place] = draw(st.sampled_from("0123456789"))
    gap = draw(st.sampled_from(["", " ", "-", ") "]))
    text = gap.join(["".join(digits[:3]), "".join(digits[3:])])
    code = phonenumbers.country_code_for_region(country)
    before = draw(st.sampled_from([f"+{code}", f"+{code} ", "", "0", "1", "8", "00", "(", f"+{code}0", str(code)]))
    typed_in = draw(st.sampled_from([country, country, "US", "GB", "IT"]))
    return before + text + draw(st.sampled_from(["", "", "5", " "])), typed_in


@given(mobiles())
@settings(max_examples=400, deadline=None)
def test_the_quick_way_says_what_the_library_says_in_every_country(typed: tuple[str, str]) -> None:
    text, country = typed[0].strip(), typed[1]
    quick = plain_mobile(text, country)
    if quick:
        library = slowly(text, country)
        assert isinstance(library, PhoneNumber)
        assert library.e164 == quick
    assert quickly(text, country) == slowly(text, country)
