"""What an error code means, whoever gave it."""

from collections.abc import Mapping
from typing import Final

from messaging.providers.base import NumberFault
from messaging.providers.error_table import ErrorTable
from messaging.providers.telnyx.errors import ERRORS as TELNYX
from messaging.providers.twilio.errors import ERRORS as TWILIO

__all__ = ["TABLES", "class_of", "fault_of_number"]

TABLES: Final[Mapping[str, ErrorTable]] = {"twilio": TWILIO, "telnyx": TELNYX}
"""The code table of each provider. The simulated network answers with Twilio's codes."""


def class_of(code: str) -> str:
    """The class of a code by whichever table has it; empty when none has. A test holds the tables apart."""
    return next((found for table in TABLES.values() if (found := table.class_of(code))), "")


def fault_of_number(code: str) -> NumberFault:
    """What a code says is wrong with the number that a text was for, by whichever table has it."""
    return next((found for table in TABLES.values() if (found := table.fault_of_number(code))), NumberFault.NOTHING)
