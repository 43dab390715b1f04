"""What is stuck, why, and what to do: the words of the doctor and of the page Settings > Health."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

__all__ = ["COUNTED_UP_TO", "Finding", "stuck_rows"]

COUNTED_UP_TO: Final = 1_000
"""Enough to see how bad it is; a queue of millions is not counted on a page."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that does not move on."""

    what: str
    """A sentence without a full stop: "Batches of texts wait for a worker"."""
    advice: str
    count: int = 1
    """At most ``COUNTED_UP_TO``."""
    since: datetime | None = None
    url_name: str = ""
    """The page where it is mended."""

    @property
    def counted(self) -> str:
        """The count in words."""
        return f"more than {COUNTED_UP_TO:,}" if self.count >= COUNTED_UP_TO else f"{self.count:,}"


def stuck_rows(rows: "QuerySet[Any]", since: str, *, what: str, advice: str, url_name: str = "") -> Iterator[Finding]:
    """One finding when there are such rows; ``since`` names the column with the time from which each counts."""
    times = list(rows.order_by(since).values_list(since, flat=True)[:COUNTED_UP_TO])
    if times:
        yield Finding(what, advice, len(times), times[0], url_name)
