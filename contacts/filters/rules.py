"""What a rule is: groups of conditions, nested. Read strictly from JSON; whatever it does not know it refuses. Pure.

A rule in JSON::

    {"match": "all", "parts": [
        {"subject": "tag", "target": "0192...", "operator": "has", "value": ""},
        {"match": "any", "parts": [{"subject": "field", "target": "0192...", "operator": "starts", "value": "Bos"}]}
    ]}
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from contacts.filters.words import MATCHES, OPERATORS, SUBJECTS

__all__ = ["EVERYBODY", "MAX_CONDITIONS", "MAX_DEPTH", "Condition", "Group", "RuleProblem", "conditions", "read_rule"]

MAX_DEPTH: Final = 4
MAX_CONDITIONS: Final = 30
_MAX_VALUE_LENGTH: Final = 500


class RuleProblem(ValueError):
    """The rule cannot be used; the message says why, for the person who made it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is so or not. ``target`` is the id of a field, list, tag or import, or a purpose."""

    subject: str
    operator: str
    target: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """``match``: "all" of the parts hold, "any" of them does, or "none"."""

    match: str
    parts: "tuple[Part, ...]"


Part: TypeAlias = Condition | Group

EVERYBODY: Final = Group("all", ())


def read_rule(data: object) -> Group:
    """The rule in JSON's terms as groups and conditions; raises ``RuleProblem``."""
    group = _read_group(data, depth=1)
    if sum(1 for _ in conditions(group)) > MAX_CONDITIONS:
        raise RuleProblem(f"A filter can have at most {MAX_CONDITIONS} conditions. Remove some.")
    return group


def conditions(group: Group) -> Iterator[Condition]:
    """All conditions of a group and of the groups in it."""
    for part in group.parts:
        if isinstance(part, Group):
            yield from conditions(part)
        else:
            yield part


def _read_group(data: object, *, depth: int) -> Group:
    if depth > MAX_DEPTH:
        raise RuleProblem(f"Groups can stand {MAX_DEPTH} deep at most. Move the innermost conditions out.")
    if not isinstance(data, dict) or set(data) != {"match", "parts"} or not isinstance(data["parts"], list):
        raise RuleProblem("This is no filter. Build it anew.")
    if not isinstance(data["match"], str) or data["match"] not in MATCHES:
        raise RuleProblem("Choose whether all, any or none of the conditions must hold.")
    if len(data["parts"]) > MAX_CONDITIONS:
        raise RuleProblem(f"A filter can have at most {MAX_CONDITIONS} conditions. Remove some.")
    return Group(data["match"], tuple(_read_part(part, depth=depth) for part in data["parts"]))


def _read_part(data: object, *, depth: int) -> Part:
    if isinstance(data, dict) and "parts" in data:
        return _read_group(data, depth=depth + 1)
    return _read_condition(data)


def _read_condition(data: object) -> Condition:
    names = {"subject", "target", "operator", "value"}
    if not isinstance(data, dict) or not {"subject", "operator"} <= set(data) <= names:
        raise RuleProblem("This is no filter. Build it anew.")
    texts = {name: data.get(name, "") for name in names}
    if not all(isinstance(text, str) for text in texts.values()):
        raise RuleProblem("This is no filter. Build it anew.")
    if texts["subject"] not in SUBJECTS:
        raise RuleProblem("A condition is about something that no filter knows. Remove it.")
    if texts["operator"] not in OPERATORS:
        raise RuleProblem("Choose how each condition compares.")
    if any("\x00" in text or len(text) > _MAX_VALUE_LENGTH for text in texts.values()):
        raise RuleProblem("The value of a condition is too long or contains a character that cannot be searched.")
    return Condition(**texts)
