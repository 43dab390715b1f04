"""What an error code means, whoever gave it."""

from collections.abc import Callable, Mapping
from typing import Final

from messaging.providers.telnyx import errors as telnyx
from messaging.providers.twilio import errors as twilio

__all__ = ["CLASSES", "class_of"]

CLASSES: Final[Mapping[str, Callable[[str], str]]] = {"twilio": twilio.class_of, "telnyx": telnyx.class_of}
"""The code table of each provider. The simulated network answers with Twilio's codes."""


def class_of(code: str) -> str:
    """The class of a code by whichever table has it; empty when none has. A test holds the tables apart."""
    return next((found for table in CLASSES.values() if (found := table(code))), "")
