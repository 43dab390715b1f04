"""Cells that a spreadsheet program would take for a formula: marked with an apostrophe, read without it."""

import re
from typing import Final

__all__ = ["plain_cell", "safe_cell"]

_FORMULA: Final = re.compile(r'[\t\r\n]|[\s"]*[=+\-@＝＋－＠]')
"""How a cell begins that is calculated instead of shown (OWASP, CSV injection), blanks and quotes before it included."""


def safe_cell(text: str) -> str:
    """The cell for a file of ours: with an apostrophe first where a spreadsheet program would calculate it.

    Numbers with their plus sign get it too: a spreadsheet program would drop the sign.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(text: str) -> str:
    """The cell as it was before ``safe_cell``, without blanks around it."""
    text = text.strip()
    return text[1:].strip() if text[:1] == "'" and _FORMULA.match(text, 1) else text
