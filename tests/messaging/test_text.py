import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.text import (
    TextMeasure,
    apply_smart_encoding,
    first_offender,
    measure,
    replacement_for,
    split_parts,
)

VECTORS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("data").joinpath("part_vectors.json").read_text(encoding="utf-8")
)["vectors"]

# 3GPP TS 23.038, 6.2.1 and 6.2.1.1, by code point; the rest of the basic table is printable ASCII.
BASIC_BEYOND_ASCII = [
    *(0xA1, 0xA3, 0xA4, 0xA5, 0xA7, 0xBF, 0xC4, 0xC5, 0xC6, 0xC7, 0xC9, 0xD1, 0xD6, 0xD8, 0xDC),
    *(0xDF, 0xE0, 0xE4, 0xE5, 0xE6, 0xE8, 0xE9, 0xEC, 0xF1, 0xF2, 0xF6, 0xF8, 0xF9, 0xFC),
    *(0x393, 0x394, 0x398, 0x39B, 0x39E, 0x3A0, 0x3A3, 0x3A6, 0x3A8, 0x3A9, 0x0A, 0x0D),
]
EXTENDED = [0x0C, 0x5B, 0x5C, 0x5D, 0x5E, 0x7B, 0x7C, 0x7D, 0x7E, 0x20AC]
SEPTETS = {
    **{chr(code): 1 for code in [*range(0x20, 0x7F), *BASIC_BEYOND_ASCII] if code != 0x60},
    **{chr(code): 2 for code in EXTENDED},
}
BASIC = [char for char, septets in SEPTETS.items() if septets == 1]

gsm_texts = st.text(st.sampled_from(list(SEPTETS)), max_size=700)
boundary_texts = st.lists(
    st.one_of(
        st.builds(lambda n: "a" * n, st.integers(1, 160)),
        st.sampled_from(["€", "[", "é", "ç", "😀", "你", "👨‍👩‍👧", "’", "\n"]),
    ),
    max_size=14,
).map("".join)
texts = st.one_of(st.text(max_size=300), gsm_texts, boundary_texts)


def one_character_at_a_time(body: str) -> tuple[str, list[int]]:
    """Encoding, and the units of each part, filled character by character."""
    if all(char in SEPTETS for char in body):
        encoding, single, part, sizes = "GSM-7", 160, 153, [SEPTETS[char] for char in body]
    else:
        encoding, single, part, sizes = "UCS-2", 70, 67, [1 + (ord(c) > 0xFFFF) for c in body]
    if sum(sizes) <= single:
        return encoding, [sum(sizes)]
    filled = [0]
    for size in sizes:
        if filled[-1] + size > part:
            filled.append(0)
        filled[-1] += size
    return encoding, filled


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vectors(vector: dict[str, Any]) -> None:
    assert measure(vector["text"], smart=vector["smart"]) == TextMeasure(
        encoding=vector["encoding"], part_count=vector["part_count"], units=vector["units"]
    )


@pytest.mark.parametrize("vector", [v for v in VECTORS if "units_per_part" in v], ids=lambda vector: vector["id"])
def test_vectors_part_by_part(vector: dict[str, Any]) -> None:
    parts = split_parts(vector["text"])
    if vector["encoding"] == "GSM-7":
        units = [sum(SEPTETS[char] for char in part) for part in parts]
    else:
        units = [len(part.encode("utf-16-le")) // 2 for part in parts]
    assert units == vector["units_per_part"]


def test_the_alphabet_is_complete() -> None:
    assert len(BASIC) == 127
    assert measure("".join(BASIC)) == TextMeasure("GSM-7", 1, 127)
    for code in range(0x3000):
        expected = "GSM-7" if chr(code) in SEPTETS else "UCS-2"
        assert measure(chr(code)).encoding == expected, hex(code)


@pytest.mark.parametrize(
    ("body", "part_count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 153 * 2, 2),
        ("a" * (153 * 2 + 1), 3),
        ("a" * 158 + "€", 1),
        ("a" * 159 + "€", 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # 152 + 153 + 1: the pair moves to the second part
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("ç" * 67 * 2, 2),
        ("ç" * 66 + "😀" + "ç" * 66, 3),
        ("ç" * 67 + "[" * 67, 2),  # an extension character is one unit here
    ],
)
def test_part_count_at_the_limits(body: str, part_count: int) -> None:
    assert measure(body).part_count == part_count


def test_an_empty_body_is_one_part() -> None:
    assert measure("") == TextMeasure("GSM-7", 1, 0)
    assert split_parts("") == [""]


def test_parts_may_cut_an_emoji_between_its_code_points_but_never_inside_one() -> None:
    family = "👨‍👩‍👧‍👦"
    first, second = split_parts("ç" * 61 + family)
    assert (first, second) == ("ç" * 61 + family[:4], family[4:])


@given(texts)
def test_measure_equals_filling_parts_character_by_character(body: str) -> None:
    encoding, filled = one_character_at_a_time(body)
    assert measure(body) == TextMeasure(encoding, len(filled), sum(filled))  # type: ignore[arg-type]


@given(texts)
def test_parts_join_to_the_body_and_are_as_many_as_measured(body: str) -> None:
    parts = split_parts(body)
    assert "".join(parts) == body
    assert len(parts) == measure(body).part_count


@given(st.text(st.characters(), max_size=300))
def test_text_with_lone_surrogates_is_measured_too(body: str) -> None:
    measured = measure(body, smart=True)
    assert measured.part_count >= 1
    assert len(split_parts(body)) == measure(body).part_count


@given(texts)
def test_the_first_offender_is_what_forces_ucs2(body: str) -> None:
    offender = first_offender(body)
    if offender is None:
        assert measure(body).encoding == "GSM-7"
    else:
        index, char = offender
        assert body[index] == char
        assert measure(body[:index]).encoding == "GSM-7"
        assert measure(char).encoding == "UCS-2"


@given(texts)
def test_smart_encoding_leaves_gsm7_alone_and_is_what_smart_measures(body: str) -> None:
    smart = apply_smart_encoding(body)
    assert measure(body, smart=True) == measure(smart)
    assert apply_smart_encoding(smart) == smart
    if measure(body).encoding == "GSM-7":
        assert smart == body


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("“Sale” – don’t miss it…", '"Sale" - don\'t miss it...'),
        ("zero\u200bwidth", "zerowidth"),
        ("ｆｕｌｌ", "ｆｕｌｌ"),
        ("naïve “quote”", 'naïve "quote"'),
        ("\u200b", ""),
    ],
)
def test_apply_smart_encoding(body: str, sent: str) -> None:
    assert apply_smart_encoding(body) == sent


@pytest.mark.parametrize(
    ("body", "offender", "replacement"),
    [
        ("Don’t", (3, "’"), "'"),
        ("a\u200bb", (1, "\u200b"), ""),
        ("Zoë", (2, "ë"), None),
        ("Hi 😀", (3, "😀"), None),
    ],
)
def test_what_to_offer_for_the_first_offender(body: str, offender: tuple[int, str], replacement: str | None) -> None:
    assert first_offender(body) == offender
    assert replacement_for(offender[1]) == replacement


def test_gsm7_text_has_no_offender() -> None:
    assert first_offender("¡Hola! €5 [é]\n") is None
