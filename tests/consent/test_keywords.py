import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import consent
from consent.keywords import ALSO_CONFIRMATIONS, VERSION, Classification, classify

DATA: dict[str, Any] = json.loads(
    Path(consent.__file__ or "").with_name("data").joinpath("keywords.json").read_text("utf-8")
)
KEYWORDS = sorted(
    {
        (word, intent)
        for keyword_set in DATA["sets"]
        for words in keyword_set["words"].values()
        for intent, listed in words.items()
        for word in listed
    }
)
OTHER = Classification("other", certain=True)

marks = st.text(st.sampled_from(" \t\n\r.,!?*-_'\"()¡¿…🛑😡👍\ufe0f\u200b\u2060\u200d“”«»>"), max_size=8)
recasings = st.sampled_from([str.lower, str.upper, str.title, str.swapcase])


@pytest.mark.parametrize(("keyword", "intent"), KEYWORDS)
def test_every_keyword_alone_is_certain(keyword: str, intent: str) -> None:
    found = classify(keyword)
    assert (found.intent, found.certain, found.reason) == (intent, True, "keyword")
    assert found.keyword is not None
    assert found.language is not None


@given(st.sampled_from(KEYWORDS), marks, marks, recasings)
def test_case_marks_and_white_space_around_a_keyword_do_not_matter(
    entry: tuple[str, str], before: str, after: str, recase: Any
) -> None:
    keyword, _ = entry
    assert classify(before + recase(keyword) + after) == classify(keyword)


@pytest.mark.parametrize(
    ("text", "intent", "keyword"),
    [
        (" ＳＴＯＰ.\ufe0f", "opt_out", "stop"),
        ("𝗦𝗧𝗢𝗣", "opt_out", "stop"),
        ("S T O P", "opt_out", "stop"),
        ("s.t.o.p", "opt_out", "stop"),
        ("ST\u200bOP 🛑🛑", "opt_out", "stop"),
        ("STOP STOP STOP", "opt_out", "stop"),
        ("Stop!Stop!", "opt_out", "stop"),
        ("“STOP”", "opt_out", "stop"),
        ("STOP" + "!" * 1600, "opt_out", "stop"),
        ("opt  out", "opt_out", "opt out"),
        ("OPT-OUT", "opt_out", "optout"),
        ("Arre\u0302t", "opt_out", "arret"),
        ("NO MÁS", "opt_out", "no más"),
        ("DỪNG", "opt_out", "dừng"),
        ("退 订", "opt_out", "退订"),
        ("Start.", "opt_in", "start"),
        ("S’abonner", "opt_in", "s'abonner"),
        ("help?", "help", "help"),
    ],
)
def test_spellings_of_a_keyword(text: str, intent: str, keyword: str) -> None:
    found = classify(text)
    assert (found.intent, found.certain, found.keyword) == (intent, True, keyword)


def test_yes_is_an_opt_in_that_the_caller_can_tell_apart() -> None:
    assert classify("Yes!") == Classification("opt_in", True, "yes", "en", "keyword")
    assert frozenset({"yes", "sí", "oui"}) == ALSO_CONFIRMATIONS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("please stop", "keyword_and_courtesy"),
        ("Stop texting me!!", "keyword"),
        ("un subscribe", "keyword_and_courtesy"),
        ("STOP - Karen", "keyword_and_name"),
        ("Stop 202 555 0101", "keyword_and_name"),
        ("STOOOOP", "keyword_misspelt"),
        ("qiut", "keyword_misspelt"),
        ("Unsubscrbe", "keyword_misspelt"),
        ("pls take me off ur list", "remove_me"),
        ("quit sending me this stuff", "stop_messages"),
        ("I revoke my consent", "revoke"),
        ("STOP. Also cancel my appointment on Friday", "stop_alone"),
        ("cancel these texts", "turn_off_messages"),
        ("You have the wrong number", "wrong_number"),
        ("leave me alone", "leave_me_alone"),
        ("no me manden más mensajes", "do_not_text"),
        ("désabonnez-moi", "unsubscribe"),
    ],
)
def test_a_clear_request_is_certain_and_names_its_rule(text: str, reason: str) -> None:
    found = classify(text)
    assert (found.intent, found.certain, found.reason) == ("opt_out", True, reason)


@pytest.mark.parametrize(
    "text",
    [
        "how do I stop getting these?",
        "not interested",
        "this is harassment",
        "stop... just kidding",
        "unsubscribe me from the premium plan but keep basic",
        "I can't unsubscribe",
        "I never signed up for this",
        "stio",
        "🖕",
        "请停止发送",
    ],
)
def test_what_may_be_a_request_is_held_for_a_person(text: str) -> None:
    found = classify(text)
    assert (found.intent, found.certain) == ("opt_out", False)
    assert found.reason


@pytest.mark.parametrize(
    "text",
    [
        "cancel my appointment",
        "can't stop by today",
        "can’t stop by today",
        "when does it end?",
        "stop by 5pm ok?",
        "the bleeding wont stop",
        "Never stop being awesome",
        "One-stop shop! love it",
        "Do not unsubscribe me!",
        "I did NOT opt out",
        "dont quit on me now",
        "quit worrying, we will be there",
        "I stopped taking it",
        "On the stoop",
        "Qui ?",
        "merci stp",
        "My boss quit",
        "weekend works for me",
        "Dũng",
        "Đúng",
        "À quel arrêt ?",
        "está en alto",
        'Liked "STOP"',
        "Liked “Reply STOP to opt out”",
        "Loved ‘Reply STOP to opt out’",
        'Reacted 👍 to "Reply STOP to opt out"',
        "Reacted 👍 to “STOP”",
        "A aimé « STOP »",
        "Hat „STOP“ mit „Gefällt mir“ markiert",
        "Laughed at “Reply STOP to unsub",
        "> Reply STOP to opt out\nok see you",
        "",
        "   ",
        "👍",
        "C",
        "ﷺ" * 300,
    ],
)
def test_everything_else_is_other(text: str) -> None:
    assert classify(text) == OTHER


@pytest.mark.parametrize("filler", ["a " * 800, "ab" * 800, "x\n" * 800])
def test_a_long_message_is_no_keyword_even_if_it_begins_with_one(filler: str) -> None:
    assert classify("stop " + filler) == OTHER


@given(st.one_of(st.text(st.characters(), max_size=1600), st.text(st.sampled_from("stop .!'\"“\n>"))))
def test_any_text_is_classified(text: str) -> None:
    found = classify(text)
    assert (found.keyword is None) == (found.intent == "other")
    assert found.certain or found.intent == "opt_out"
    assert classify(f"  {text}\n") == found


@given(st.text(max_size=60), st.sampled_from(["Liked", "Disliked", "Reacted 🙏 to", "Emphasized"]))
def test_a_reaction_to_our_text_is_never_an_opt_out(quoted: str, reaction: str) -> None:
    text = quoted.translate(dict.fromkeys(map(ord, '"“”„«»\u2018\u2019'), None))
    assert classify(f"{reaction} “{text} STOP”").intent == "other"


def test_the_data_names_its_version_and_the_source_of_every_set() -> None:
    assert VERSION == "2026-11-23"
    for keyword_set in DATA["sets"]:
        assert keyword_set["source"]
        assert keyword_set["certainty"] in DATA["certainty"]


def test_no_keyword_has_two_intents() -> None:
    assert len({word for word, _ in KEYWORDS}) == len(KEYWORDS)
