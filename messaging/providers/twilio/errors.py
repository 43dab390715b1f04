"""Twilio's error codes; the simulated network answers with them, too."""

from pathlib import Path
from typing import Final

from messaging.providers.base import Stops
from messaging.providers.error_table import ErrorTable

__all__ = ["ERRORS"]

ERRORS: Final = ErrorTable(
    Path(__file__).with_name("errors.json"),
    stops={"pause_sender": Stops.SENDER, "pause_tenant_sender": Stops.ACCOUNT},
    perhaps_destination={"21606", "21703"},
)
