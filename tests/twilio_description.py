"""What Twilio's own description of its API says about a request."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

__all__ = ["DESCRIPTION", "problems"]

DESCRIPTION = Path(__file__).parent / "messaging" / "data" / "twilio_openapi_cut.json"
"""The operations that we call; its source and licence stand in it."""


def problems(method: str, path: str, query: Mapping[str, str], form: Mapping[str, str]) -> list[str]:
    """Why Twilio would not understand the request; empty when it would. A parameter that is not described is a problem."""
    for template, operations in _description()["paths"].items():
        named = re.fullmatch(
            re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", re.escape(template).replace(r"\{", "{").replace(r"\}", "}")), path
        )
        if named and method.lower() in operations:
            operation = operations[method.lower()]
            body = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
            return [
                *_unlike(_parameters(operation, "path"), named.groupdict()),
                *_unlike(_parameters(operation, "query"), query),
                *_unlike(body.get("schema", {"properties": {}}), form),
            ]
    return [f"{method} {path} is not described"]


@cache
def _description() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return described


def _parameters(operation: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The parameters of a place, as one schema."""
    found = [one for one in operation.get("parameters", []) if one["in"] == place]
    return {
        "properties": {one["name"]: one["schema"] for one in found},
        "required": [one["name"] for one in found if one.get("required")],
    }


def _unlike(schema: Mapping[str, Any], sent: Mapping[str, str]) -> list[str]:
    whole = {**schema, "type": "object", "additionalProperties": False, "components": _description()["components"]}
    values = {name: _value(schema["properties"].get(name, {}), text) for name, text in sent.items()}
    return [
        f"{'.'.join(map(str, error.path))}: {error.message}"
        for error in Draft202012Validator(whole).iter_errors(values)
    ]


def _value(schema: Mapping[str, Any], text: str) -> object:
    """What a parameter's text stands for: a form has nothing but texts."""
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    return text
