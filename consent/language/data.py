"""The words and rules, as data: ``consent/data/*.json``, each with its version and its sources."""

import json
from pathlib import Path
from typing import Any, Final

__all__ = ["load"]

_FOLDER: Final = Path(__file__).parent.parent / "data"


def load(name: str) -> dict[str, Any]:
    """Read one file of ``consent/data``."""
    data: dict[str, Any] = json.loads((_FOLDER / name).read_text(encoding="utf-8"))
    return data
