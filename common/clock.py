"""The clock that everybody shares: the database's. Machines' own clocks jump, and differ."""

from datetime import datetime

from django.db import connection

__all__ = ["database_now"]


def database_now() -> datetime:
    """The time at which the current transaction began; outside of one, the time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        now: datetime = cursor.fetchone()[0]
        return now
