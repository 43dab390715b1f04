"""Telnyx's error codes."""

from pathlib import Path
from typing import Final

from messaging.providers.base import Stops
from messaging.providers.error_table import ErrorTable

__all__ = ["ERRORS", "event_means_opted_out"]

ERRORS: Final = ErrorTable(
    Path(__file__).with_name("errors.json"), stops={"pause_sender": Stops.SENDER, "pause_account": Stops.ACCOUNT}
)


def event_means_opted_out(code: str, title: str) -> bool:
    """Whether a delivery event says that the person opted out there.

    Telnyx gives the code of an opt-out in such events for unreachable destinations too; the title tells them apart.
    """
    return ERRORS.means_opted_out(code) and "stop" in title.lower()
