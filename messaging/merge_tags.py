"""Merge tags: ``{{ name }}`` and ``{{ name | default text }}`` in a message body.

Names are small letters, digits and ``_``, starting with a letter. One pass replaces the tags;
values are never looked at for tags, and nothing is ever evaluated. Text that only resembles a tag
is sent as written, so forms show ``problems`` before a body is saved.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain, islice
from typing import Final

__all__ = ["MAX_VALUE_LENGTH", "Rendered", "Template", "compile_template", "names", "problems"]

MAX_VALUE_LENGTH: Final = 200
"""Characters of a value that are sent; uncut, one contact's data could cost many parts."""

_MAX_PROBLEMS: Final = 10
_MAX_COMPARED: Final = 40
_EXCERPT: Final = 30

_NAME: Final = r"[a-z][a-z0-9_]*"
_TAG: Final = re.compile(rf"\{{\{{\s*({_NAME})\s*(?:\|([^{{}}]*))?\}}\}}")
_SINGLE_BRACES: Final = re.compile(rf"(?<!\{{)\{{\s*({_NAME})\s*\}}(?!\}})")
_TAG_MARK: Final = "\0"
_BRACES: Final = re.compile(rf"\{{\{{|\}}\}}|{_TAG_MARK}")
# Lone surrogates go too: no database and no provider could take them.
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Rendered:
    """``missing``: names of tags with neither value nor default; they leave nothing in ``text``."""

    text: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A body cut at its tags: render it many times."""

    names: tuple[str, ...]
    _start: str
    _tags: tuple[tuple[str, str | None, str], ...]
    """Name, default (None: there is none) and the text up to the next tag."""

    def render(self, values: Mapping[str, str]) -> Rendered:
        """Fill in ``values``, without control characters and cut to ``MAX_VALUE_LENGTH``.

        A value that is empty or only white space counts as no value.
        """
        pieces = [self._start]
        missing = []
        for name, default, following in self._tags:
            value = values.get(name)
            if value:
                value = _clean(value)
            if not value:
                value = default
                if default is None:
                    missing.append(name)
            pieces.append(value or "")
            pieces.append(following)
        return Rendered("".join(pieces), tuple(dict.fromkeys(missing)))


def compile_template(body: str) -> Template:
    """Cut ``body`` at its tags; any text will do (``problems`` says what was probably meant)."""
    start, *rest = _TAG.split(body)
    tags = tuple(
        (name, None if default is None else default.strip(), following)
        for name, default, following in zip(rest[0::3], rest[1::3], rest[2::3], strict=True)
    )
    return Template(names=tuple(names(body)), _start=start, _tags=tags)


def names(body: str) -> list[str]:
    """Names of the tags, in order of first use."""
    return list(dict.fromkeys(found[1] for found in _TAG.finditer(body)))


def problems(body: str, known: Collection[str]) -> list[str]:
    """What a form tells the writer of ``body``; at most ten, empty if all is well."""
    found = chain(_brace_problems(body, known), _single_braces(body, known), _unknown_names(body, known))
    return list(dict.fromkeys(islice(found, _MAX_PROBLEMS)))


def _clean(value: str) -> str:
    if not value.isprintable():
        value = _CONTROL.sub("", value)
    return "" if value.isspace() else value[:MAX_VALUE_LENGTH]


def _unknown_names(body: str, known: Collection[str]) -> Iterator[str]:
    for name in names(body):
        if name not in known:
            yield f"“{_excerpt(name)}” is not a known tag.{_hint(name, known)}"


def _brace_problems(body: str, known: Collection[str]) -> Iterator[str]:
    marked = _TAG.sub(_TAG_MARK, body.replace(_TAG_MARK, ""))
    opening: re.Match[str] | None = None
    inside_tag = False
    for found in _BRACES.finditer(marked):
        if found[0] == "}}":
            if opening:
                yield _malformed(marked[opening.end() : found.start()], known)
            elif not inside_tag:
                yield "“}}” has no “{{” before it. Remove it, or write the whole tag: {{ name }}."
            opening, inside_tag = None, False
            continue
        if opening:
            yield _unclosed(marked[opening.start() : found.start()])
        # The closing braces of an outer tag belong to the problem that was just told.
        inside_tag = opening is not None
        opening = found if found[0] == "{{" else None
    if opening:
        yield _unclosed(marked[opening.start() :])


def _single_braces(body: str, known: Collection[str]) -> Iterator[str]:
    marked = _TAG.sub(_TAG_MARK, body.replace(_TAG_MARK, ""))
    for found in _SINGLE_BRACES.finditer(marked):
        if found[1] in known:
            yield f"“{found[0]}” would be sent as written. Write {{{{ {found[1]} }}}}."


def _unclosed(text: str) -> str:
    if "|" in text:
        return (
            f"“{_excerpt(text)}” is not closed before the next tag or the end. Write }}}} after "
            "the default; a default is plain text and cannot hold a tag."
        )
    return f"“{_excerpt(text)}” is not closed. Write }}}} after the name."


def _malformed(inside: str, known: Collection[str]) -> str:
    name, has_default, default = inside.partition("|")
    if has_default and ("{" in default or "}" in default):
        return f"“{_excerpt(default)}” cannot be a default: write it without {{ and }}."
    if not name.strip():
        return "“{{ }}” names no tag. Write the name inside, such as {{ first_name }}."
    likely = "_".join(re.findall("[a-z0-9]+", name.lower()))
    return (
        f"“{_excerpt(name)}” cannot be the name of a tag: names are small letters, digits and _.{_hint(likely, known)}"
    )


def _hint(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name[:_MAX_COMPARED], known, n=1)
    return f" Did you mean {{{{ {close[0]} }}}}?" if close else " Use one of the tags offered."


def _excerpt(text: str) -> str:
    text = " ".join(text.replace(_TAG_MARK, "{{ … }}").split())
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"
