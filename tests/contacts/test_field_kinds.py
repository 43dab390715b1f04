"""The kinds of fields: what people type in their country becomes one canonical value, and keys sort as values do."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.fields import FieldType, Kind, ValueProblem, key_of, read, shown, typed
from contacts.folding import KEY_LENGTH, fold

NUMBER, DATE, YES_NO = FieldType(Kind.NUMBER), FieldType(Kind.DATE), FieldType(Kind.YES_NO)
COLOUR = FieldType(Kind.CHOICE, ("Red", "Navy blue", "Côté"))


@pytest.mark.parametrize(
    ("text", "field", "country", "value"),
    [
        ("  as it is ", FieldType(), "US", "as it is"),
        ("1,234", NUMBER, "US", "1234"),
        ("1,234", NUMBER, "DE", "1.234"),
        ("1.234", NUMBER, "DE", "1234"),
        ("1.234", NUMBER, "US", "1.234"),
        ("1.234,50", NUMBER, "US", "1234.5"),
        ("1,234,567.80", NUMBER, "DE", "1234567.8"),
        ("1 234,5", NUMBER, "FR", "1234.5"),
        ("1'234.5", NUMBER, "CH", "1234.5"),
        ("0,125", NUMBER, "US", "0.125"),
        ("$ 19.90", NUMBER, "US", "19.9"),
        ("-0", NUMBER, "US", "0"),
        ("-007.10", NUMBER, "US", "-7.1"),
        ("\uff11\uff12", NUMBER, "US", "12"),
        ("\u0661\u0662", NUMBER, "US", "12"),
        (".5", NUMBER, "US", "0.5"),
        ("3/4/2026", DATE, "US", "2026-03-04"),
        ("3/4/2026", DATE, "GB", "2026-04-03"),
        ("2026-03-31", DATE, "US", "2026-03-31"),
        ("31.3.26", DATE, "US", "2026-03-31"),
        ("X", YES_NO, "US", "yes"),
        ("Sí", YES_NO, "US", "yes"),
        ("FALSE", YES_NO, "US", "no"),
        ("navy  BLUE", COLOUR, "US", "Navy blue"),
        ("cote", COLOUR, "US", "Côté"),
        ("", NUMBER, "US", ""),
        ("  ", COLOUR, "US", ""),
    ],
)
def test_what_people_type_becomes_one_value(text: str, field: FieldType, country: str, value: str) -> None:
    assert read(text, field, country) == value
    assert read(value, field, "US") == value


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        ("twelve", NUMBER, "digits only"),
        ("1,23,4", NUMBER, "digits only"),
        ("1.2.3", NUMBER, "digits only"),
        ("1,2.3,4", NUMBER, "digits only"),
        ("-", NUMBER, "digits only"),
        ("1e9", NUMBER, "digits only"),
        ("9" * 16, NUMBER, "at most 15 digits"),
        ("0.1234567", NUMBER, "behind the decimal point"),
        ("13/13/2026", DATE, "Write it as 2026-03-31"),
        ("0001-01-01", DATE, "from 1800 to 2200"),
        ("perhaps", YES_NO, "yes or no"),
        ("Green", COLOUR, "Red, Navy blue"),
        ("x" * 501, FieldType(), "at most 500"),
        ("a\x00b", FieldType(), "cannot be stored"),
    ],
)
def test_what_is_no_value_says_what_to_write(text: str, field: FieldType, says: str) -> None:
    with pytest.raises(ValueProblem, match=says):
        read(text, field, "US")


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ("1234567.5", Kind.NUMBER, "1,234,567.5"),
        ("2026-03-31", Kind.DATE, "March 31, 2026"),
        ("yes", Kind.YES_NO, "Yes"),
        ("as it is", Kind.TEXT, "as it is"),
        ("from before", Kind.NUMBER, "from before"),
        ("from before", Kind.DATE, "from before"),
    ],
)
def test_values_on_pages(value: str, kind: Kind, words: str) -> None:
    assert shown(value, kind) == words


numbers = st.decimals(
    min_value=Decimal("-999999999999999.999999"), max_value=Decimal("999999999999999.999999"), places=6
)


@given(numbers, numbers)
def test_the_keys_of_numbers_sort_as_the_numbers_do(one: Decimal, other: Decimal) -> None:
    first, second = (read(f"{number:f}", NUMBER, "US") for number in (one, other))
    assert (Decimal(first), Decimal(second)) == (one, other)
    keys = key_of(first, Kind.NUMBER).encode(), key_of(second, Kind.NUMBER).encode()
    assert (keys[0] < keys[1], keys[0] == keys[1]) == (one < other, one == other)


@given(numbers, st.sampled_from(["US", "DE", "CH", ""]))
def test_a_number_that_nobody_touched_stays_as_it_was(number: Decimal, country: str) -> None:
    value = read(f"{number:f}", NUMBER, "US")
    assert read(typed(value, Kind.NUMBER, country), NUMBER, country) == value


@given(st.dates(date(1800, 1, 1), date(2200, 12, 31)), st.dates(date(1800, 1, 1), date(2200, 12, 31)))
def test_the_keys_of_dates_sort_as_the_dates_do(one: date, other: date) -> None:
    first, second = (key_of(read(day.isoformat(), DATE, "US"), Kind.DATE) for day in (one, other))
    assert (first < second, first == second) == (one < other, one == other)


@given(st.text(max_size=600), st.sampled_from(list(Kind)), st.sampled_from(["US", "DE", ""]))
def test_no_text_breaks_the_reading(text: str, kind: Kind, country: str) -> None:
    field = FieldType(kind, ("Red", "Blue") if kind == Kind.CHOICE else ())
    try:
        value = read(text, field, country)
    except ValueProblem:
        return
    assert value == value.strip()
    assert read(value, field, country) == value or kind == Kind.NUMBER
    assert len(key_of(value, kind)) <= KEY_LENGTH
    shown(value, kind)


@given(st.text(max_size=200))
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_beginning_of_a_name_folds_to_the_beginning_of_its_key(begin: str, rest: str) -> None:
    """Composed letters aside: half a letter is no beginning of it."""
    if begin.isascii():
        assert fold(begin + rest).startswith(fold(begin)[:KEY_LENGTH])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("José", "jose"),
        ("JOSE\u0301", "jose"),
        ("O'Brien", "obrien"),
        ("O\u2019Brien", "obrien"),
        ("o brien", "obrien"),
        ("Łukasz", "lukasz"),
        ("Müller-Groß", "mullergross"),
        ("İpek", "ipek"),
        ("\uff21nn", "ann"),
        ("—…!", ""),
        ("李", "李"),
        ("x" * 90, "x" * 80),
    ],
)
def test_names_are_folded(text: str, key: str) -> None:
    assert fold(text) == key
