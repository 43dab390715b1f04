"""The form in which a rule is built: every part has a path (r is the whole, r.0 its first part), fields are named by it.

The page sends the whole form with each step and gets it back with what the step adds or takes away, so it works the
same with and without a script.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from consent.purposes import PURPOSES_WITH_CONSENT
from contacts.fields import Kind
from contacts.filters.rules import MAX_CONDITIONS, MAX_DEPTH
from contacts.filters.words import MATCHES, OPERATORS, SUBJECTS, operators_of
from contacts.models import ContactField, ContactImport, ContactList, Tag

__all__ = ["Box", "Row", "draw", "empty_rule", "read_form", "rule_from_query"]

Rule = dict[str, Any]
Choices = list[tuple[str, str]]

_ROOT: Final = "r"
_MOST_OFFERED: Final = 500


@dataclass(frozen=True)
class Row:
    """A condition as the page shows it."""

    path: str
    subject: str
    target: str
    operator: str
    value: str
    subjects: Choices
    targets: Choices
    operators: Choices
    choices: Choices
    input: str
    """What is typed: "text", "date", "days", "choice" or nothing."""


@dataclass(frozen=True)
class Box:
    """A group as the page shows it; ``kinds`` says which of its parts are groups ("g") and which conditions ("c")."""

    path: str
    match: str
    matches: Choices
    parts: "list[Row | Box]"
    kinds: str
    may_nest: bool
    is_root: bool


def empty_rule() -> Rule:
    """What a new filter begins with: one condition to fill in."""
    return {"match": "all", "parts": [_new_condition()]}


def rule_from_query(query: Mapping[str, str]) -> Rule:
    """The quick filters of the list of contacts as a rule."""
    parts: list[Rule] = []
    if query.get("list"):
        parts.append({"subject": "list", "target": query["list"], "operator": "in", "value": ""})
    if query.get("tag"):
        parts.append({"subject": "tag", "target": query["tag"], "operator": "has", "value": ""})
    if query.get("consent") == "opt_in":
        parts.append({"subject": "consent", "target": "marketing", "operator": "opted_in", "value": ""})
        parts.append({"subject": "suppressed", "target": "", "operator": "no", "value": ""})
    elif query.get("consent") == "opt_out":
        out = {"subject": "consent", "target": "marketing", "operator": "opted_out", "value": ""}
        every = {"subject": "suppressed", "target": "", "operator": "yes", "value": ""}
        parts.append({"match": "any", "parts": [out, every]})
    elif query.get("consent") == "none":
        said = [
            {"subject": "consent", "target": "marketing", "operator": name, "value": ""}
            for name in ("opted_in", "opted_out")
        ]
        parts.append({"match": "none", "parts": [*said, {"subject": "suppressed", "operator": "yes", "value": ""}]})
    if query.get("ends_within"):
        days = query["ends_within"]
        parts.append({"subject": "consent", "target": "marketing", "operator": "ends_within", "value": days})
    return {"match": "all", "parts": parts} if parts else empty_rule()


def read_form(data: Mapping[str, str]) -> Rule:
    """The rule that stands in the form, after the step ("do") that was asked for."""
    step, _, path = data.get("do", "").partition(":")
    return _read_group(data, _ROOT, step, path, depth=1)


def _read_group(data: Mapping[str, str], path: str, step: str, at: str, *, depth: int) -> Rule:
    parts: list[Rule] = []
    for position, kind in enumerate(data.get(f"{path}.parts", "")[:MAX_CONDITIONS]):
        own = f"{path}.{position}"
        if step == "remove" and own == at:
            continue
        if kind == "g" and depth < MAX_DEPTH:
            parts.append(_read_group(data, own, step, at, depth=depth + 1))
        else:
            parts.append({name: data.get(f"{own}.{name}", "") for name in ("subject", "target", "operator", "value")})
    if path == at and step == "add":
        parts.append(_new_condition())
    if path == at and step == "group" and depth < MAX_DEPTH:
        parts.append({"match": "any", "parts": [_new_condition(), _new_condition()]})
    match = data.get(f"{path}.match", "")
    return {"match": match if match in MATCHES else "all", "parts": [_tidy(part) for part in parts]}


def _new_condition() -> Rule:
    return {"subject": "first_name", "target": "", "operator": "starts", "value": ""}


def _tidy(part: Rule) -> Rule:
    """A condition whose subject has changed loses the operator and the target of the old one."""
    if "parts" in part:
        return part
    if part["subject"] not in SUBJECTS:
        return _new_condition()
    offered = _Offered.of(part["subject"], part["target"])
    target = part["target"] if part["target"] in dict(offered.targets) else next(iter(dict(offered.targets)), "")
    operators = operators_of(part["subject"], offered.kind_of(target))
    operator = part["operator"] if part["operator"] in operators else next(iter(operators), "")
    kept = part["value"] if operator and OPERATORS[operator][1] else ""
    return {**part, "target": target, "operator": operator, "value": kept}


def draw(rule: Rule) -> Box:
    """The rule as the page shows it."""
    return _draw_group(rule, _ROOT, depth=1)


def _draw_group(rule: Rule, path: str, *, depth: int) -> Box:
    parts: list[Row | Box] = []
    for position, part in enumerate(rule["parts"]):
        own = f"{path}.{position}"
        parts.append(_draw_group(part, own, depth=depth + 1) if "parts" in part else _draw_condition(part, own))
    return Box(
        path=path,
        match=rule["match"],
        matches=list(MATCHES.items()),
        parts=parts,
        kinds="".join("g" if isinstance(part, Box) else "c" for part in parts),
        may_nest=depth < MAX_DEPTH,
        is_root=path == _ROOT,
    )


def _draw_condition(part: Rule, path: str) -> Row:
    subject, target, operator = part["subject"], part.get("target", ""), part["operator"]
    offered = _Offered.of(subject, target)
    choices = offered.choices_of(target)
    typed = OPERATORS[operator][1] if operator in OPERATORS else ""
    return Row(
        path=path,
        subject=subject,
        target=target,
        operator=operator,
        value=part.get("value", ""),
        subjects=_subjects(subject),
        targets=offered.targets,
        operators=[(name, OPERATORS[name][0]) for name in operators_of(subject, offered.kind_of(target))],
        choices=choices,
        input="choice" if choices and typed else typed,
    )


def _subjects(chosen: str) -> Choices:
    """What can be chosen: of the subjects that name one of many, those of which there is one."""
    return [
        (name, subject.label)
        for name, subject in SUBJECTS.items()
        if name == chosen or not subject.target or _Offered.of(name, "").targets
    ]


@dataclass(frozen=True)
class _Offered:
    """What a condition about one of many can name."""

    targets: Choices
    fields: Mapping[str, ContactField]

    @classmethod
    def of(cls, subject: str, target: str) -> "_Offered":
        match SUBJECTS[subject].target if subject in SUBJECTS else "":
            case "field":
                fields = {
                    str(field.id): field
                    for field in ContactField.objects.filter(deleted_at=None).order_by("position", "id")
                }
                return cls([(key, field.label) for key, field in fields.items()], fields)
            case "tag":
                return cls([(str(tag.id), tag.name) for tag in Tag.objects.order_by("name")[:_MOST_OFFERED]], {})
            case "list":
                lists = ContactList.objects.order_by("name")[:_MOST_OFFERED]
                return cls([(str(each.id), each.name) for each in lists], {})
            case "import":
                imports = ContactImport.objects.order_by("-created_at").values_list("id", "file_name")[:_MOST_OFFERED]
                return cls([(str(key), name) for key, name in imports], {})
            case "purpose":
                return cls([(purpose.value, str(purpose.label)) for purpose in PURPOSES_WITH_CONSENT], {})
        return cls([], {})

    def kind_of(self, target: str) -> Kind | None:
        field = self.fields.get(target)
        return Kind(field.kind) if field else None

    def choices_of(self, target: str) -> Choices:
        field = self.fields.get(target)
        if field is None:
            return []
        if field.kind == Kind.YES_NO:
            return [("yes", "Yes"), ("no", "No")]
        return [(choice, choice) for choice in field.choices]
