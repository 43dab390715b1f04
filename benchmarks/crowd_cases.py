"""What people look for in a tenant of ``benchmarks.crowd``: searches, quick filters and kept filters, common and rare."""

from typing import Any, Final

__all__ = ["QUICK", "RULES", "SEARCHES", "named"]

SEARCHES: Final = {
    "common first name": "mary",
    "one letter": "m",
    "rare last name": "garciaab",
    "first and last": "mary smith",
    "last and first": "smithab mary",
    "nobody": "xaver",
    "e-mail": "garciaab1",
    "number at home": "(201) 2",
    "whole number": "+12012000000",
    "common beginning of numbers": "2",
    "further number": "+44 2",
    "common city": "boston",
    "common tag": "common",
    "rare tag": "rare",
}

QUICK: Final = {
    "everybody": {},
    "common tag": {"tag": "common"},
    "rare tag": {"tag": "rare"},
    "long list": {"list": "many"},
    "short list": {"list": "few"},
    "opted in": {"consent": "opt_in"},
    "opted out": {"consent": "opt_out"},
    "no consent": {"consent": "none"},
    "common tag in long list": {"tag": "common", "list": "many"},
    "rare tag in long list": {"tag": "rare", "list": "many"},
    "archived": {"archived": "1"},
}


def condition(subject: str, operator: str, value: str = "", target: str = "") -> dict[str, str]:
    return {"subject": subject, "target": target, "operator": operator, "value": value}


def group(match: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"match": match, "parts": list(parts)}


BOSTON = condition("field", "is", "Boston", "City")
VISITS = condition("field", "at_least", "99", "Visits")
COMMON, RARE = condition("tag", "has", "", "common"), condition("tag", "has", "", "rare")
FEW, MANY = condition("list", "in", "", "few"), condition("list", "in", "", "many")

RULES: Final[dict[str, dict[str, Any]]] = {
    "common value": group("all", BOSTON),
    "rare range": group("all", VISITS),
    "wide range": group("all", condition("field", "at_least", "20", "Visits")),
    "value and tag": group("all", BOSTON, COMMON),
    "rare and common": group("all", RARE, MANY),
    "any of rare": group("any", RARE, FEW),
    "any of common": group("any", COMMON, MANY),
    "any of common and rare": group("any", COMMON, FEW),
    "none of common": group("none", COMMON),
    "not a value": group("all", condition("field", "is_not", "Boston", "City")),
    "opted in": group("all", condition("consent", "opted_in", "", "marketing")),
    "wrote lately": group("all", condition("wrote", "last_days", "30")),
    "wrote never": group("all", condition("wrote", "never")),
    "number": group("all", condition("number", "starts", "+1 201")),
    "nested": group("all", group("any", BOSTON, RARE), group("none", FEW), condition("suppressed", "no")),
}


def named(rule: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """The rule with the ids of what it names."""
    if "parts" in rule:
        return {**rule, "parts": [named(part, ids) for part in rule["parts"]]}
    return {**rule, "target": ids.get(rule["target"], rule["target"])}
