"""The limits that are in force: the law's by jurisdiction, and the tenant's own by purpose."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db.models import Q

from consent.frequency import Limit
from consent.models import FrequencyLaw, PurposePolicy
from consent.purposes import Purpose
from tenants import audit

__all__ = [
    "PURPOSES_WITH_LIMITS",
    "Policy",
    "legal_limits",
    "own_limit",
    "policies_in_force",
    "set_policy",
    "store_carried_laws",
]

DATA: Final = Path(__file__).with_name("data") / "frequency.json"

PURPOSES_WITH_LIMITS: Final = (Purpose.MARKETING, Purpose.REMINDER, Purpose.TRANSACTIONAL)
"""Answers, codes and texts to the own team neither count nor wait."""

_OFFERS: Final = frozenset({Purpose.MARKETING.value})


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a tenant texts somebody for one purpose."""

    texts: int = 4
    hours: int = 7 * 24
    counts: bool = False
    obeys: bool = False

    @property
    def in_words(self) -> str:
        """The limit as staff read it."""
        if not self.obeys:
            return "no limit of yours"
        span = f"{self.hours} hours" if self.hours <= 48 else f"{self.hours // 24} days"
        return f"at most {self.texts} in {span}"


_DEFAULTS: Final[Mapping[str, Policy]] = {Purpose.MARKETING: Policy(counts=True)}


def policies_in_force() -> dict[str, Policy]:
    """The active tenant's policy for each purpose that can have one."""
    chosen = {
        purpose: Policy(texts, hours, counts, obeys)
        for purpose, texts, hours, counts, obeys in PurposePolicy.objects.values_list(
            "purpose", "texts", "hours", "counts", "obeys"
        )
    }
    return {
        purpose.value: chosen.get(purpose.value) or _DEFAULTS.get(purpose, Policy()) for purpose in PURPOSES_WITH_LIMITS
    }


def own_limit(purpose: str) -> Limit | None:
    """What the active tenant allows itself for texts of this purpose; None: as many as it likes."""
    policies = policies_in_force()
    policy = policies.get(purpose)
    if policy is None or not policy.obeys:
        return None
    return Limit(policy.texts, policy.hours, frozenset(name for name, each in policies.items() if each.counts))


def set_policy(*, purpose: str, policy: Policy) -> None:
    """Choose how often people get texts of this purpose. It holds for every text that has not gone out yet.

    Raises ``ValidationError`` for numbers that are no limit. What a state's law allows holds beside it.
    """
    before = _as_audited(policies_in_force()[purpose])
    row = PurposePolicy.objects.filter(purpose=purpose).first() or PurposePolicy(purpose=purpose)
    row.texts, row.hours, row.counts, row.obeys = policy.texts, policy.hours, policy.counts, policy.obeys
    row.full_clean()
    row.save()
    audit.record("consent.frequency_changed", target=row, before=before, after=_as_audited(policy))


def _as_audited(policy: Policy) -> dict[str, str]:
    return {"limit": policy.in_words, "counts": "yes" if policy.counts else "no"}


def legal_limits(at: datetime) -> dict[str, Sequence[Limit]]:
    """The laws in force on that day, by jurisdiction. They count offers, whatever their subject: the strictest reading
    of "the same subject matter or issue"."""
    day = at.date()
    rows = FrequencyLaw.objects.filter(
        Q(effective_from=None) | Q(effective_from__lte=day), Q(effective_until=None) | Q(effective_until__gt=day)
    ).order_by()
    found: dict[str, list[Limit]] = {}
    for code, texts, hours in rows.values_list("jurisdiction", "texts", "hours"):
        found.setdefault(code, []).append(Limit(texts, hours, _OFFERS, code))
    return dict(found)


def store_carried_laws(law_model: Any) -> int:
    """Write the laws that the database does not have, and touch none that it has: admins may have changed them.

    The model comes as an argument, because a migration has its own.
    """
    known = set(law_model.objects.values_list("jurisdiction", flat=True))
    carried = json.loads(DATA.read_text(encoding="utf-8"))["jurisdictions"]
    rows = [
        law_model(jurisdiction=code, **{**row, "sources": "\n".join(row["sources"])})
        for code, row in carried.items()
        if code not in known
    ]
    return len(law_model.objects.bulk_create(rows))
