"""Keeps phone numbers out of the logs, whatever a library or an exception text brings along."""

import logging
import re
from typing import Final

__all__ = ["RedactingFormatter"]

_NUMBER: Final = re.compile(r"(?:\+|%2B)\d{7,15}", re.IGNORECASE)


class RedactingFormatter(logging.Formatter):
    """Replaces every E.164 number, also URL-encoded, by ``+…`` and its last two digits: in message and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return _NUMBER.sub(lambda match: f"+…{match.group()[-2:]}", super().format(record))
