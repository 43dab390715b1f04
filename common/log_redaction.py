"""Keeps phone numbers out of the logs, whatever a library or an exception text brings along."""

import logging
import re
from typing import Final

__all__ = ["RedactNumbers"]

_NUMBER: Final = re.compile(r"(?:\+|%2B)\d{7,15}")


class RedactNumbers(logging.Filter):
    """Replaces every E.164 number in a log line, also URL-encoded, by ``+…`` and its last two digits."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        redacted = _NUMBER.sub(lambda match: f"+…{match.group()[-2:]}", text)
        if redacted != text:
            record.msg, record.args = redacted, None
        return True
