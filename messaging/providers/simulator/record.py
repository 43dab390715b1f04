"""What the simulated network knows of each text that it took and each reply, in memory and on disk.

The log is the only true account of what reached the phones: Redis holds what they show, and may be flushed. A network
that starts with the log of the one before has its record; one without a log knows nothing from before it started, and
says so.
"""

import json
import time
import uuid
from bisect import bisect_left
from collections import defaultdict, deque
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from sys import intern
from typing import Any, Final, TextIO
from urllib.parse import parse_qs, urlsplit

__all__ = ["Entry", "Record", "RecordTooShort", "account_in", "attempt_in", "new_id"]

MOST_ENTRIES: Final = 200_000
"""About 300 MB."""
PAGE: Final = 1_000
MOST_READ: Final = 50_000
"""So many entries are looked through for one page: the network has texts to take meanwhile."""
_FINAL: Final = frozenset({"delivered", "undelivered", "failed"})


class RecordTooShort(Exception):
    """The question is about a time of which the record may lack texts."""


@dataclass(slots=True)
class Entry:
    """A text or a reply. ``sender`` is the tenant's number, whoever wrote."""

    id: str
    account: str
    attempt: str
    sender: str
    number: str
    body: str
    at: float
    inbound: bool = False
    arrives: bool = True
    status: str = "accepted"
    error_code: str = ""
    place: int = 0
    """Its place in the order of the record."""


class Record:
    """The entries in the order in which they came; the oldest tenth goes when there are too many.

    ``complete_since``: Unix time before which nothing is known, for a record without a log and for a log that begins.
    """

    def __init__(self, log: Path | None = None, *, complete_since: float = 0.0, most: int = MOST_ENTRIES) -> None:
        self._most = most
        self._complete_since = complete_since
        self._all: list[Entry] = []
        self._by_id: dict[str, Entry] = {}
        self._by_number: dict[str, deque[Entry]] = defaultdict(deque)
        self._file = self._continued(log) if log else None

    def add(self, entry: Entry) -> None:
        """Keep a text or a reply."""
        self._keep(entry)
        start, end = (entry.number, entry.sender) if entry.inbound else (entry.sender, entry.number)
        known = {"body": entry.body, "arrives": entry.arrives}
        self._write("reply" if entry.inbound else "text", entry, {"from": start, "to": end, **known}, at=entry.at)

    def update(self, message_id: str, status: str, error_code: str) -> None:
        """What became of a text; what is final stays."""
        entry = self._by_id.get(message_id)
        if entry is not None:
            self._move(entry, status, error_code)
            self._write("receipt", entry, {"status": status, "error_code": error_code}, at=time.time())

    def to(self, account: str, number: str, since: float) -> list[Entry]:
        """The texts of an account for a number since then; raises ``RecordTooShort``."""
        self._must_reach(since)
        entries = self._by_number.get(number, ())
        return [one for one in entries if one.at >= since and one.account == account and not one.inbound]

    def one(self, account: str, message_id: str) -> Entry | None:
        """A text or a reply of an account by its id; raises ``RecordTooShort``."""
        entry = self._by_id.get(message_id)
        if entry is None:
            self._must_reach(_time_in(message_id))
        return entry if entry and entry.account == account else None

    def between(self, account: str, since: float, until: float, after: int) -> tuple[list[Entry], int | None]:
        """A page of an account's entries behind the place ``after``, and the place to go on from, or None."""
        self._must_reach(since)
        first = self._all[0].place if self._all else 0
        start = max(bisect_left(self._all, since, key=lambda one: one.at), after - first + 1)
        found: list[Entry] = []
        for entry in islice(self._all, start, start + MOST_READ):
            if entry.at >= until:
                return found, None
            if entry.account == account:
                found.append(entry)
            if len(found) == PAGE:
                return found, entry.place
        last = start + MOST_READ - 1
        return found, self._all[last].place if last < len(self._all) else None

    def close(self) -> None:
        """Close the log."""
        if self._file:
            self._file.close()

    def _keep(self, entry: Entry) -> None:
        if self._all:
            # The order of the record is that of the times, whatever happens to the clock.
            entry.at, entry.place = max(entry.at, self._all[-1].at), self._all[-1].place + 1
        entry.account, entry.sender = intern(entry.account), intern(entry.sender)
        self._all.append(entry)
        self._by_id[entry.id] = entry
        self._by_number[entry.number].append(entry)
        if len(self._all) > self._most:
            self._forget(self._most // 10 + 1)

    def _forget(self, count: int) -> None:
        for entry in self._all[:count]:
            del self._by_id[entry.id]
            self._by_number[entry.number].popleft()
            if not self._by_number[entry.number]:
                del self._by_number[entry.number]
        # Two entries may have the same time: it is complete behind that of the last one that went.
        self._complete_since = max(self._complete_since, self._all[count - 1].at + 1e-6)
        del self._all[:count]

    def _must_reach(self, since: float) -> None:
        if since < self._complete_since:
            raise RecordTooShort

    @staticmethod
    def _move(entry: Entry, status: str, error_code: str) -> None:
        if entry.status not in _FINAL:
            entry.status, entry.error_code = status, error_code

    def _continued(self, log: Path) -> TextIO:
        """The log to write to. Its first line says since when it is complete: what was before it, it does not know."""
        torn = False
        is_new = not log.exists() or not log.stat().st_size
        if not is_new:
            self._complete_since = 0.0
            with log.open(encoding="utf-8") as lines:
                for line in lines:
                    torn = not line.endswith("\n")
                    self._read(line)
        file = log.open("a", encoding="utf-8")
        if torn:
            file.write("\n")
        if is_new:
            file.write(json.dumps({"kind": "begin", "at": self._complete_since}) + "\n")
            file.flush()
        return file

    def _read(self, text: str) -> None:
        try:
            line: dict[str, Any] = json.loads(text)
        except ValueError:
            # The network before died while it wrote: nobody was answered about that text.
            return
        if line["kind"] == "begin":
            self._complete_since = line["at"]
            return
        if line["kind"] == "receipt":
            entry = self._by_id.get(line["id"])
            if entry is not None:
                self._move(entry, line["status"], line["error_code"])
            return
        inbound = line["kind"] == "reply"
        number, sender = (line["from"], line["to"]) if inbound else (line["to"], line["from"])
        entry = Entry(line["id"], line["account"], line["attempt"], sender, number, line["body"], line["at"], inbound)
        entry.arrives, entry.status = line["arrives"], "received" if inbound else "accepted"
        self._keep(entry)

    def _write(self, kind: str, entry: Entry, more: dict[str, object], *, at: float) -> None:
        if self._file:
            known = {"kind": kind, "id": entry.id, "attempt": entry.attempt, "account": entry.account, "at": at}
            self._file.write(json.dumps(known | more) + "\n")
            self._file.flush()


def new_id(at: float) -> str:
    """An id of a text; it carries its time, so that one that is not on record can be told from one that was forgotten."""
    return f"SIM{int(at * 1000):012x}{uuid.uuid4().hex[:20]}"


def _time_in(message_id: str) -> float:
    try:
        return int(message_id[3:15], 16) / 1000
    except ValueError:
        return time.time()


def account_in(callback: str) -> str:
    """The account that a callback address belongs to: ``.../<account>/status?a=<attempt>``."""
    return urlsplit(callback).path.rpartition("/")[0].rpartition("/")[2]


def attempt_in(callback: str) -> str:
    """The attempt that a callback address names, or an empty string."""
    return parse_qs(urlsplit(callback).query).get("a", [""])[0]
