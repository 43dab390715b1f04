"""What time it is for the rule about hours. Tests run at any hour; unless they say otherwise it is a Wednesday afternoon
in New York, and day in the whole of the United States and western Europe."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from messaging.pipeline import quiet
from tenants.scope import all_tenants
from tests.afternoon import AFTERNOON

__all__ = ["Daylight", "tonight"]

_NEW_YORK: Final = ZoneInfo("America/New_York")
_SOON: Final = datetime.now(_NEW_YORK) + timedelta(days=2)
_A_WORKDAY: Final = _SOON + timedelta(days=7 - _SOON.weekday() if _SOON.weekday() > 4 else 0)
"""Two to four days ahead: whatever the hour is at which tests run, none of its hours is past."""


def tonight(hour: int = 3) -> datetime:
    """That hour of that workday in New York; by three, hardly anybody may be texted."""
    return _A_WORKDAY.replace(hour=hour, minute=0, second=0, microsecond=0)


class Daylight:
    """The clock by which the gate judges hours; the database's clock, by which batches are due, goes on as it does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = AFTERNOON
        monkeypatch.setattr(quiet, "database_now", lambda: self.now)

    def become(self, moment: datetime) -> None:
        """It is another time now: what was put off until then, or before, is due."""
        self.now = moment
        with all_tenants("time passes in a test"), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE messaging_batch SET not_before = now() WHERE state = 'queued' AND due_from <= %s", [moment]
            )
