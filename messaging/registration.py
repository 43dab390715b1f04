"""Whether a sender may text as far as carriers' registrations go: what it needs, how far that is, what to do.

What a kind of sender needs is data (``data/registrations.json``, with sources); how far each registration is, platform
admins note (``SenderRegistration``). One that is noted and not approved keeps texts back. One that nobody has noted does
not: it may have been made at the provider, and carriers that miss it refuse texts, which pauses the sender.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from common.number_zones import places_of
from messaging.models import ProviderAccount, Sender, SenderRegistration

__all__ = ["NOT_NEEDED", "NOT_NOTED", "State", "name_problem", "problems_of", "states_of"]

NOT_NEEDED: Final = "not_needed"
NOT_NOTED: Final = "not_noted"
ANY_COUNTRY: Final = "*"

_DATA: Final[Mapping[str, Any]] = json.loads(
    Path(__file__).with_name("data").joinpath("registrations.json").read_text(encoding="utf-8")
)
_ROWS: Final[Sequence[Mapping[str, Any]]] = _DATA["rows"]
_NO_NAMES: Final = frozenset(row["country"] for row in _DATA["names"] if not row["allowed"])
"""Countries whose carriers let no text through that comes from a name."""
_NEEDS: Final = {(row["kind"], row["country"]): row for row in _ROWS}

_Status = SenderRegistration.Status
_ORDER: Final = (_Status.REJECTED, _Status.EXPIRED, _Status.DRAFT, _Status.SUBMITTED)
"""Of several registrations the one that is farthest from its end decides."""

_WHAT_TO_DO: Final[Mapping[str, str]] = {
    _Status.REJECTED: "Tell the platform's team what to change, so that it can be submitted again.",
    _Status.EXPIRED: "Ask the platform's team to renew it.",
    _Status.SUBMITTED: "Nothing to do: the carriers are looking at it.",
}


@dataclass(frozen=True, slots=True)
class State:
    """How far a sender's registration is. ``status``: a registration's, or one of the two words above."""

    status: str
    what: str = ""
    """The registration that decides: "Campaign (10DLC)"."""
    reason: str = ""
    since: datetime | None = None
    to_do: str = ""

    @property
    def problem(self) -> str:
        """Why texts are kept back; empty when they are not."""
        if self.status in (NOT_NEEDED, NOT_NOTED, _Status.APPROVED):
            return ""
        return f"{self.what} is not approved ({_Status(self.status).label.lower()}). {self.to_do}".strip()


def problems_of(senders: Collection[Sender]) -> dict[UUID, str]:
    """Those of the senders that may not text, with the reason, in one query."""
    return {sender_id: state.problem for sender_id, state in states_of(senders).items() if state.problem}


def states_of(senders: Collection[Sender]) -> dict[UUID, State]:
    """How far each sender's registration is, in one query."""
    needing = {sender.id: need for sender in senders if (need := _need(sender))}
    if not needing:
        return {sender.id: State(NOT_NEEDED) for sender in senders}
    newest: dict[tuple[UUID | None, str], SenderRegistration] = {}
    rows = SenderRegistration.objects.filter(Q(sender=None) | Q(sender_id__in=list(needing))).order_by("id")
    for row in rows:
        newest[row.sender_id, row.kind] = row
    return {
        sender.id: _state(sender.id, needing[sender.id], newest) if sender.id in needing else State(NOT_NEEDED)
        for sender in senders
    }


def _need(sender: Sender) -> Mapping[str, Any] | None:
    """Real carriers alone ask for registrations."""
    if sender.provider_account.kind == ProviderAccount.Kind.SIMULATOR:
        return None
    return _NEEDS.get((sender.kind, sender.country)) or _NEEDS.get((sender.kind, ANY_COUNTRY))


def name_problem(number: str) -> str:
    """Why no text from a name can go to the number; empty if it can, as far as is known."""
    places = places_of(number).jurisdictions
    barred = sorted({country for place in places if (country := place.partition("-")[0]) in _NO_NAMES})
    return (
        f"Carriers in {' and '.join(barred)} let through no texts that come from a name; send from a number"
        if barred
        else ""
    )


def _state(
    sender_id: UUID, need: Mapping[str, Any], newest: Mapping[tuple[UUID | None, str], SenderRegistration]
) -> State:
    """A registration of the number itself goes before one for all numbers."""
    found = [newest.get((sender_id, kind)) or newest.get((None, kind)) for kind in need["needs"]]
    noted = [row for row in found if row is not None]
    for status in _ORDER:
        for row in noted:
            if row.status == status:
                to_do = _WHAT_TO_DO.get(status, need["todo"])
                return State(status, row.get_kind_display(), row.reason, row.updated_at, to_do)
    if len(noted) < len(found):
        return State(NOT_NOTED, to_do=need["todo"])
    return State(_Status.APPROVED, since=max(row.updated_at for row in noted))
