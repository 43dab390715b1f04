"""The cases of ``hostile_inputs.json`` by id, and the bytes that those described in words stand for."""

import json
from pathlib import Path
from typing import Any, Final

__all__ = ["CASES", "content_of"]

_FILE: Final = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
CASES: Final[dict[str, dict[str, Any]]] = {case["id"]: case for case in _FILE["cases"]}


def content_of(case_id: str) -> bytes:
    """The file that a case is about."""
    described = CASES[case_id]["input"]
    if isinstance(described, str):
        return described.encode()
    match described["gen"]:
        case "encode":
            return str(described["text"]).encode(described["codec"])
        case "repeat":
            return str(described["before"] + described["text"] * described["times"] + described["after"]).encode()
    raise ValueError(f"{case_id} is about no file.")
