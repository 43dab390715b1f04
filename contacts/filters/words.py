"""What conditions can be about and how they compare, in words. Pure."""

from dataclasses import dataclass
from typing import Final

from contacts.fields import Kind

__all__ = ["MATCHES", "OPERATORS", "OPERATORS_OF_KIND", "SUBJECTS", "Subject", "operators_of"]

MATCHES: Final = {"all": "All of these", "any": "Any of these", "none": "None of these"}

OPERATORS: Final[dict[str, tuple[str, str]]] = {
    "is": ("is", "text"),
    "is_not": ("is not", "text"),
    "starts": ("begins with", "text"),
    "starts_not": ("does not begin with", "text"),
    "at_least": ("is at least", "text"),
    "at_most": ("is at most", "text"),
    "on": ("is on", "date"),
    "before": ("is before", "date"),
    "after": ("is after", "date"),
    "last_days": ("was in the last days:", "days"),
    "not_last_days": ("was not in the last days:", "days"),
    "next_days": ("is in the next days:", "days"),
    "known": ("is known", ""),
    "unknown": ("is not known", ""),
    "never": ("never", ""),
    "has": ("is on them", ""),
    "has_not": ("is not on them", ""),
    "in": ("contains them", ""),
    "not_in": ("does not contain them", ""),
    "opted_in": ("they agreed", ""),
    "opted_in_after": ("they agreed after", "date"),
    "ends_within": ("their agreement ends in the next days:", "days"),
    "opted_out": ("they opted out", ""),
    "not_opted_in": ("they did not agree", ""),
    "yes": ("yes", ""),
    "no": ("no", ""),
}
"""The words of each operator, and what has to be typed with it: "text", "date", "days" or nothing."""

_TEXTS: Final = ("is", "is_not", "starts", "starts_not", "known", "unknown")

OPERATORS_OF_KIND: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.TEXT: _TEXTS,
    Kind.NUMBER: ("is", "is_not", "at_least", "at_most", "known", "unknown"),
    Kind.DATE: ("on", "before", "after", "last_days", "next_days", "known", "unknown"),
    Kind.YES_NO: ("is", "is_not", "known", "unknown"),
    Kind.CHOICE: ("is", "is_not", "known", "unknown"),
}

_MOMENTS: Final = ("last_days", "not_last_days", "before", "after")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a condition is about. With ``target`` it names one of many: a field, a list, a tag, an import, a purpose."""

    label: str
    operators: tuple[str, ...]
    target: str = ""


SUBJECTS: Final[dict[str, Subject]] = {
    "field": Subject("A field", (), "field"),
    "tag": Subject("A tag", ("has", "has_not"), "tag"),
    "list": Subject("A list", ("in", "not_in"), "list"),
    "consent": Subject(
        "Consent", ("opted_in", "opted_in_after", "ends_within", "not_opted_in", "opted_out"), "purpose"
    ),
    "suppressed": Subject("Opted out of everything", ("yes", "no")),
    "number": Subject("The number", ("starts", "starts_not")),
    "first_name": Subject("First name", _TEXTS),
    "last_name": Subject("Last name", _TEXTS),
    "email": Subject("E-mail", _TEXTS),
    "language": Subject("Language", ("is", "is_not", "known", "unknown")),
    "wrote": Subject("Last wrote to us", (*_MOMENTS, "never")),
    "created": Subject("Added here", _MOMENTS),
    "updated": Subject("Last changed", _MOMENTS),
    "import": Subject("An import", ("in", "not_in"), "import"),
}


def operators_of(subject: str, kind: Kind | None) -> tuple[str, ...]:
    """How a subject can be compared; for a field by its kind."""
    if subject == "field":
        return OPERATORS_OF_KIND[kind] if kind else ()
    return SUBJECTS[subject].operators if subject in SUBJECTS else ()
