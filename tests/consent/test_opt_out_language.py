"""How well texts are judged, on the corpora of ``data/README.md``, and what never changes a verdict."""

import csv
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.keywords import classify
from consent.language.exact import PRIORITY, listed
from consent.language.grammar import LANGUAGES
from consent.language.patterns import compile_pattern
from consent.language.spelling import is_near

FOLDER = Path(__file__).with_name("data")
CORPORA = ("optout_phrases_dev.csv", "optout_corpus.csv")
STEPS_PER_CHARACTER = 2500


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def verdict(text: str) -> str:
    found = classify(text)
    return found.intent if found.intent != "opt_out" else "certain" if found.certain else "held"


@pytest.fixture(scope="module", params=CORPORA)
def verdicts(request: pytest.FixtureRequest) -> Counter[tuple[str, str]]:
    return Counter((row["label"], verdict(row["text"])) for row in rows(request.param))


def share(verdicts: Counter[tuple[str, str]], labels: set[str], wanted: set[str]) -> float:
    chosen = {pair: count for pair, count in verdicts.items() if pair[0] in labels}
    return sum(count for (_, got), count in chosen.items() if got in wanted) / sum(chosen.values())


def test_99_of_100_opt_outs_are_caught(verdicts: Counter[tuple[str, str]]) -> None:
    assert share(verdicts, {"optout"}, {"certain", "held"}) >= 0.99


def test_1_of_100_ordinary_texts_at_most_opts_out_and_5_are_held(verdicts: Counter[tuple[str, str]]) -> None:
    assert share(verdicts, {"other"}, {"certain"}) <= 0.01
    assert share(verdicts, {"other"}, {"held"}) <= 0.05


def test_the_corpus_is_wide() -> None:
    labels = Counter(row["label"] for row in rows("optout_corpus.csv"))
    assert labels["optout"] >= 600
    assert labels["other"] >= 1000


KEYWORDS = [(intent, word) for intent in PRIORITY for _, word in listed(intent)]
texts = st.one_of(
    st.text(max_size=200),
    st.sampled_from([row["text"] for row in rows("optout_corpus.csv")]),
)


@given(
    texts, st.sampled_from(["", " ", "\n", "\t  ", "\u200b", "\u2060 "]), st.sampled_from(["", "  ", "\n\n", "\u200d"])
)
def test_what_surrounds_a_text_changes_nothing(text: str, before: str, after: str) -> None:
    assert classify(before + text + after) == classify(text)


@given(st.sampled_from([row["text"] for row in rows("optout_phrases_dev.csv") if row["text"].isascii()]), st.data())
def test_capitals_and_zero_width_characters_change_no_verdict(text: str, data: Any) -> None:
    at = data.draw(st.integers(0, len(text)))
    hidden = text[:at] + data.draw(st.sampled_from(["\u200b", "\u200d", "\u2060", "\ufeff"])) + text[at:]
    assert verdict(hidden) == verdict(text)


@given(
    st.sampled_from(KEYWORDS),
    st.sampled_from(["please", "thanks", "thank you", "pls", "por favor", "merci", "svp", "bitte", "Please!", "thx."]),
    st.sampled_from([str.lower, str.upper, str.title]),
)
def test_a_courtesy_after_a_keyword_keeps_it_certain(entry: tuple[str, str], courtesy: str, recase: Any) -> None:
    intent, keyword = entry
    found = classify(f"{recase(keyword)} {courtesy}")
    assert (found.intent, found.certain) == (intent, True)


def steps(text: str) -> int:
    count = 0

    def tracer(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        if "language" in frame.f_code.co_filename or frame.f_code.co_filename.endswith("keywords.py"):
            count += event == "line"
            return tracer
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        classify(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "unit",
    ["stop ", "please ", "and stop texting ", "a b ", "s.", "s*", "> ", '"', "“", "not want to ", "st*p$0 ", "no me "],
)
def test_the_longest_text_takes_a_bounded_number_of_steps(unit: str) -> None:
    text = (unit * 1600)[:1600]
    assert steps(text) < STEPS_PER_CHARACTER * len(text)


@settings(max_examples=30)
@given(st.text(st.sampled_from("stop me.*-_'\"“ \n>unsubcrie"), max_size=1600))
def test_any_text_is_judged(text: str) -> None:
    found = classify(text)
    assert (found.reason is None) == (found.intent == "other")


def test_every_rule_has_a_name_an_effect_and_a_source() -> None:
    from consent.language.data import load

    effects = {"certain", "held", "innocent", "question", "doubt", "opt_in", "help"}
    for language in LANGUAGES:
        data = load(f"grammar_{language.code}.json")
        assert data["source"]
        assert data["version"]
        for rule in data["rules"]:
            assert rule["reason"].replace("_", "").isalpha()
            assert rule["effect"] in effects
            assert rule["patterns"]


def test_every_class_that_a_rule_names_exists() -> None:
    from consent.language.data import load

    for language in LANGUAGES:
        data = load(f"grammar_{language.code}.json")
        known = {*data["classes"], "NUMBER", "PHONE", "CAPITAL"}
        for rule in data["rules"]:
            for source in rule["patterns"]:
                names = {name for element in compile_pattern(source).elements for name in element.names}
                assert {name for name in names if name.isupper()} <= known, source


@pytest.mark.parametrize(
    ("word", "meant", "near"),
    [
        ("sotp", "stop", True),
        ("stpo", "stop", True),
        ("sop", "stop", True),
        ("shops", "stop", False),
        ("unsubscrive", "unsubscribe", True),
    ],
)
def test_a_slip_is_one_letter_missing_added_changed_or_swapped(word: str, meant: str, near: bool) -> None:
    assert is_near(word, meant, 1) is near
