import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.merge_tags import (
    MAX_VALUE_LENGTH,
    Rendered,
    compile_template,
    names,
    problems,
)

KNOWN = ["first_name", "last_name", "business_name", "date"]

plain_texts = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]))
tag_names = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
# Strings that come near to tags, for rules that must hold whatever the writer does.
near_tags = st.lists(
    st.sampled_from(["{{", "}}", "{", "}", "|", " ", "first_name", "x", "First", "\n", "é", "\0"]),
    max_size=30,
).map("".join)


@pytest.mark.parametrize(
    ("body", "values", "text", "missing"),
    [
        ("Hi {{ first_name }}!", {"first_name": "Ann"}, "Hi Ann!", ()),
        ("Hi {{first_name}}!", {"first_name": "Ann"}, "Hi Ann!", ()),
        ("Hi {{ first_name | there }}!", {}, "Hi there!", ()),
        ("Hi {{ first_name|you all }}!", {"first_name": ""}, "Hi you all!", ()),
        ("Hi {{ first_name | there }}!", {"first_name": "  "}, "Hi there!", ()),
        ("Hi {{ first_name | there }}!", {"first_name": "Ann"}, "Hi Ann!", ()),
        ("Hi {{ first_name | }}!", {}, "Hi !", ()),
        ("Hi {{ first_name }}!", {}, "Hi !", ("first_name",)),
        ("Hi {{ first_name }}!", {"first_name": "\x00\t"}, "Hi !", ("first_name",)),
        ("{{ b }}{{ a }}{{ b }}", {}, "", ("b", "a")),
        ("{{ a | x }}{{ a }}", {}, "x", ("a",)),
        ("{{ a }}{{ b }}", {"a": "{{ b }}", "b": "{{ a }}"}, "{{ b }}{{ a }}", ()),
        ("{{ a }}", {"a": r"\1 \g<0> %s {0}"}, r"\1 \g<0> %s {0}", ()),
        ("{{ a }}", {"a": "two\r\nlines\x1b[0m\x7f\x9b"}, "two\nlines[0m", ()),
        ("{{ a }}", {"a": "x" * 500}, "x" * MAX_VALUE_LENGTH, ()),
        ("{{{ a }}}", {"a": "1"}, "{1}", ()),
        ("{{ A }} {{ 1a }} {{ a.b }} {{ a", {"a": "1"}, "{{ A }} {{ 1a }} {{ a.b }} {{ a", ()),
        ("{{ a | b { c }}", {"a": "1"}, "{{ a | b { c }}", ()),
        ("{% if a %}{{ a|upper }}", {}, "{% if a %}upper", ()),
        ("no tags", {"a": "1"}, "no tags", ()),
        ("", {}, "", ()),
    ],
)
def test_render(body: str, values: dict[str, str], text: str, missing: tuple[str, ...]) -> None:
    assert compile_template(body).render(values) == Rendered(text, missing)


def test_names_are_in_order_of_first_use() -> None:
    body = "{{ b }} {{ a | x }} {{ b }} {{ Nope }}"
    assert names(body) == ["b", "a"]
    assert compile_template(body).names == ("b", "a")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Hi {{ first_name | there }}, {{ date }}", []),
        ("{{{ first_name }}}", []),
        ("a } b { c", []),
        ("{{ frist_name }}", ["Did you mean {{ first_name }}?"]),
        ("{{ zzz }} {{ zzz }}", ["“zzz” is not a known tag. Use one of the tags offered."]),
        ("{{ First Name }}", ["small letters", "{{ first_name }}"]),
        ("{{ first_name", ["“{{ first_name” is not closed"]),
        ("{{ first_name }", ["is not closed"]),
        ("{{ first_name, see you {{ date }}", ["“{{ first_name, see you” is not closed"]),
        ("{{ first_name | Hi {{ last_name }} }}", ["cannot hold a tag"]),
        ("first_name }}", ["“}}” has no “{{” before it"]),
        ("{{ }}", ["names no tag"]),
        ("{{ first_name | a {b} }}", ["“a {b}” cannot be a default"]),
        ("{first_name}", ["“{first_name}” would be sent as written. Write {{ first_name }}."]),
        ("{other}", []),
    ],
)
def test_problems(body: str, expected: list[str]) -> None:
    found = problems(body, KNOWN)
    assert len(found) == bool(expected)
    for wording in expected:
        assert wording in found[0]


def test_each_problem_is_told_once_and_ten_are_enough() -> None:
    body = "{{ first_name | {{ date }} }} }} {{ nobody }} {{ First }} }}"
    assert len(problems(body, KNOWN)) == 4
    assert len(problems("".join(f"{{{{ x{n} }}}}" for n in range(50)), KNOWN)) == 10


@given(plain_texts)
def test_text_without_tags_stays_as_it_is(body: str) -> None:
    template = compile_template(body)
    assert template.render({"first_name": "Ann"}) == Rendered(body, ())
    assert problems(body, KNOWN) == []


@given(st.lists(st.tuples(plain_texts, tag_names, st.text(max_size=20))))
def test_each_tag_is_replaced_where_it_stands(pieces: list[tuple[str, str, str]]) -> None:
    values = {name: f"<{number}>" for number, (_, name, _) in enumerate(pieces)}
    body = "".join(f"{text}{{{{ {name} }}}}" for text, name, _ in pieces)
    expected = "".join(text + values[name] for text, name, _ in pieces)
    assert compile_template(body).render(values) == Rendered(expected, ())


@given(near_tags)
def test_a_value_is_never_read_as_a_tag(value: str) -> None:
    rendered = compile_template("[{{ first_name | - }}]").render({"first_name": value, "x": "X"})
    cleaned = value.replace("\0", "")
    assert rendered.text == f"[{cleaned if cleaned.strip() else '-'}]"


@given(near_tags)
def test_a_body_without_problems_is_sent_without_double_braces(body: str) -> None:
    if not problems(body, ["first_name", "x"]):
        text = compile_template(body).render({"first_name": "1", "x": "2"}).text
        assert "{{" not in text
        assert "}}" not in text


@given(near_tags)
def test_every_name_is_missing_without_values_unless_it_has_a_default(body: str) -> None:
    template = compile_template(body)
    missing = template.render({}).missing
    assert list(missing) == [name for name in template.names if name in missing]
    assert set(missing).union(names(body)) == set(names(body))
