"""Which of the texts that a provider has on record are ours, when its answer to us was lost."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from messaging.providers.base import KnownText

__all__ = ["CLOCKS_APART", "Doubt", "Matches", "match"]

CLOCKS_APART: Final = timedelta(minutes=2)
"""How far the provider's clock and the database's may differ."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An attempt that the provider may or may not have taken, between its intent and its deadline."""

    attempt_id: UUID
    number: str
    sender: str
    body: str
    intended_at: datetime
    deadline: datetime

    def fits_in_time(self, text: KnownText) -> bool:
        """Whether the text can have come from this attempt, by its time."""
        return self.intended_at - CLOCKS_APART <= text.created_at <= self.deadline + CLOCKS_APART


@dataclass(slots=True)
class Matches:
    """``found``: the text of an attempt. ``unclear``: attempts for which the record has more texts than they can be."""

    found: dict[UUID, KnownText] = field(default_factory=dict)
    unclear: set[UUID] = field(default_factory=set)


def match(doubts: Iterable[Doubt], known: Sequence[KnownText], *, claimed: Collection[str]) -> Matches:
    """Pair attempts with texts of the same number, sender and words, each text once, by their times.

    ``claimed`` are provider message ids that other attempts have. Attempts of one number with the same words are alike:
    which of them gets which text makes no difference to the person. When the record has more texts than there are
    attempts, none of them is taken for ours.
    """
    doubts = list(doubts)
    by_body = all(text.body for text in known)
    senders = {doubt.sender for doubt in doubts}
    alike: dict[tuple[str, ...], list[Doubt]] = defaultdict(list)
    for doubt in doubts:
        alike[_key(doubt.number, doubt.sender, doubt.body, by_body=by_body)].append(doubt)
    texts: dict[tuple[str, ...], list[KnownText]] = defaultdict(list)
    for text in known:
        if not text.inbound and text.provider_message_id not in claimed:
            texts[_key(text.number, _sender_of(text, senders), text.body, by_body=by_body)].append(text)
    matches = Matches()
    for key, group in alike.items():
        _pair(group, [text for text in texts[key] if any(doubt.fits_in_time(text) for doubt in group)], matches)
    return matches


def _sender_of(text: KnownText, senders: Collection[str]) -> str:
    """What it was handed to: a messaging service, whichever number that chose, or a number."""
    return text.service if text.service in senders else text.sender


def _key(number: str, sender: str, body: str, *, by_body: bool) -> tuple[str, ...]:
    return (number, sender, body.strip() if by_body else "")


def _pair(doubts: list[Doubt], texts: list[KnownText], matches: Matches) -> None:
    if len(texts) > len(doubts):
        matches.unclear.update(doubt.attempt_id for doubt in doubts)
        return
    left = sorted(doubts, key=lambda doubt: doubt.deadline)
    # Each text goes to the attempt whose time ends first among those it fits: so no other text is left without one.
    for text in sorted(texts, key=lambda text: text.created_at):
        fitting = next((doubt for doubt in left if doubt.fits_in_time(text)), None)
        if fitting is not None:
            left.remove(fitting)
            matches.found[fitting.attempt_id] = text
