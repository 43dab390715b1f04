"""The verdict: the network's log of what it took, against the database and the consent ledger, as sets.

Ids only in what it says, never a number or a text.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from campaigns.models import Campaign, CampaignRecipient
from consent.models import Suppression
from messaging.models import Attempt, Batch, DeliveryReceipt, InboundMessage, Message
from messaging.pipeline.absent import NEVER_ARRIVED
from tenants.scope import all_tenants

__all__ = ["Facts", "Verdict", "compare", "is_quiet", "judge"]

UNDER_WAY: Final = ("queued", "deferred", "submitting", "unknown")
AT_PROVIDER: Final = ("accepted", "sent", "delivered", "undelivered", "failed")
LIVE: Final = frozenset(str(state) for state in Attempt.LIVE)
ANSWERED_SOON: Final = timedelta(seconds=10)
"""A phone may answer the confirmation of a STOP before the one who wrote the STOP hears that it was taken."""
SHOWN: Final = 5


@dataclass(frozen=True)
class Facts:
    """All that there is to compare."""

    taken: Sequence[UUID]
    """The attempt of each text that the provider took, in order."""
    texts: Set[UUID] = frozenset()
    """Messages whose writing was acknowledged."""
    stops: Mapping[tuple[UUID, str], datetime] = field(default_factory=dict)
    """When a STOP was acknowledged, by tenant and number."""
    returns: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    """When people wrote YES, by number: after a STOP that opts them in again."""
    messages: Mapping[UUID, tuple[str, str, UUID, str, str]] = field(default_factory=dict)
    """status, error code, tenant, number, exemption"""
    attempts: Mapping[UUID, tuple[UUID, str, datetime]] = field(default_factory=dict)
    """message, state, when its transaction began"""
    suppressed: Set[tuple[UUID, str]] = frozenset()
    forgotten: Set[UUID] = frozenset()
    """Recipients of launched campaigns without a message, and launched campaigns without recipients."""


@dataclass
class Verdict:
    """Findings by kind; all empty is a pass."""

    findings: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not any(self.findings.values())

    def add(self, kind: str, what: Iterable[object]) -> None:
        """Note findings."""
        self.findings[kind] += [str(one) for one in what]

    def as_json(self) -> dict[str, Any]:
        """Counts, and the first few of each kind."""
        counts = {kind: len(found) for kind, found in self.findings.items()}
        shown = {kind: found[:SHOWN] for kind, found in self.findings.items() if found}
        return {"passed": self.passed, "findings": counts, "first": shown, **self.figures}


def _lines(log: Path) -> list[Mapping[str, Any]]:
    """The network's log."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _returns(lines: Iterable[Mapping[str, Any]]) -> dict[str, list[datetime]]:
    returns: dict[str, list[datetime]] = defaultdict(list)
    for line in lines:
        if line["kind"] == "reply" and line["body"] == "YES":
            returns[line["from"]].append(datetime.fromtimestamp(line["at"], tz=UTC))
    return returns


def is_quiet() -> dict[str, int]:
    """What still moves, by kind; empty when nothing does."""
    with all_tenants("whether the storm is over"):
        left = {
            "messages": Message.objects.filter(status__in=UNDER_WAY).count(),
            "batches": Batch.objects.filter(state__in=["queued", "leased"]).count(),
            "attempts": Attempt.objects.filter(state__in=["submitting", "unknown"]).count(),
            "receipts": DeliveryReceipt.objects.filter(applied_at=None).count(),
            "inbound": InboundMessage.objects.filter(handled_at=None).count(),
            "campaigns": Campaign.objects.exclude(status__in=["draft", "completed", "cancelled"]).count(),
        }
    return {kind: count for kind, count in left.items() if count}


def judge(home: Path, log: Path) -> Verdict:
    """Compare everything with everything."""
    verdict = compare(_facts(home, log))
    verdict.add("moving", (f"{count} {kind}" for kind, count in is_quiet().items()))
    return verdict


def compare(facts: Facts) -> Verdict:
    """What the facts say; nothing is asked of the database any more."""
    verdict = Verdict()
    taken, known = set(facts.taken), facts.attempts
    verdict.add("lost", facts.texts - facts.messages.keys())
    verdict.add("lost", facts.forgotten)
    verdict.add("lost", (one for one, (status, *_) in facts.messages.items() if status in UNDER_WAY))
    verdict.add("stops_lost", ("a STOP" for stop in facts.stops if stop not in facts.suppressed))
    verdict.add(
        "never_taken", (one for one, (_, state, _) in known.items() if state == "accepted" and one not in taken)
    )
    verdict.add("doubled", (one for one, times in Counter(facts.taken).items() if times > 1))
    verdict.add("doubled", _more_than_one(known[one][0] for one in taken if one in known))
    verdict.add("two_live", _more_than_one(message for message, state, _ in known.values() if state in LIVE))
    verdict.add("phantom", (one for one in taken if one not in known))
    verdict.add("unrecorded", (one for one in taken if one in known and not _is_recorded(facts, one)))
    verdict.add("after_stop", (one for one in taken if one in known and _is_after_stop(facts, one)))
    verdict.figures = {
        "messages": len(facts.messages),
        "taken": len(facts.taken),
        "attempts": dict(Counter(state for _, state, _ in known.values())),
        "statuses": dict(Counter(status for status, *_ in facts.messages.values())),
        "reasons": dict(Counter(code for _, code, *_ in facts.messages.values() if code)),
        "stops": len(facts.stops),
    }
    return verdict


def _more_than_one(messages: Iterable[UUID]) -> list[UUID]:
    return [message for message, times in Counter(messages).items() if times > 1]


def _is_recorded(facts: Facts, attempt: UUID) -> bool:
    """Whether what the provider took counts as taken here, too."""
    message, state, _ = facts.attempts[attempt]
    status, code, *_ = facts.messages[message]
    return state == "accepted" and status in AT_PROVIDER and code != NEVER_ARRIVED


def _is_after_stop(facts: Facts, attempt: UUID) -> bool:
    """Whether its transaction began after the person's STOP had been acknowledged. Its own confirmation may go."""
    message, _, began = facts.attempts[attempt]
    _, _, tenant, number, exemption = facts.messages[message]
    since = facts.stops.get((tenant, number))
    if since is None or exemption or began <= since:
        return False
    return not any(since - ANSWERED_SOON < back < began for back in facts.returns.get(number, ()))


def _facts(home: Path, log: Path) -> Facts:
    acts = [json.loads(line) for line in (home / "acts.jsonl").read_text().splitlines()]
    lines = _lines(log)
    launched = [act["campaign"] for act in acts if act["what"] == "campaign"]
    with all_tenants("the verdict on a storm"):
        messages = Message.objects.values_list("id", "status", "error_code", "tenant_id", "number", "batch__exemption")
        attempts = Attempt.objects.values_list("id", "message_id", "state", "created_at")
        left_out = CampaignRecipient.objects.filter(campaign_id__in=launched, message=None)
        empty = Campaign.objects.filter(id__in=launched, audience_count=0)
        return Facts(
            taken=[UUID(line["attempt"]) for line in lines if line["kind"] == "text"],
            returns=_returns(lines),
            texts={UUID(act["message"]) for act in acts if act["what"] == "text"},
            stops={
                (UUID(act["tenant"]), act["number"]): datetime.fromtimestamp(act["at"], tz=UTC)
                for act in acts
                if act["what"] == "stop"
            },
            messages={row[0]: row[1:] for row in messages},
            attempts={row[0]: row[1:] for row in attempts},
            suppressed=set(Suppression.objects.values_list("tenant_id", "number")),
            forgotten={*left_out.values_list("id", flat=True), *empty.values_list("id", flat=True)},
        )
