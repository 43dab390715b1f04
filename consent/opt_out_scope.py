"""How much a STOP ends.

Everything, unless a tenant chose otherwise. Its one confirmation may ask whether one kind of text is to go on (47 CFR
64.1200(a)(12): a clarification inside the confirmation; silence means that all of it ends, and nobody is asked again).
And until the day from which a STOP to one kind of text ends all (64.1200(a)(10), "revoke all", put off by the FCC to
2027-01-31 with DA 26-12), one that answers an offer may end offers alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from unicodedata import normalize

from django.conf import settings
from django.utils import timezone

from consent.coming_back import in_force_before, renew
from consent.models import ConsentRecord, OptOutQuestion, OptOutRules, Suppression
from consent.revocation_lock import hold_exclusively
from consent.services import lift
from tenants import audit

__all__ = [
    "ANSWER",
    "Chosen",
    "chosen",
    "is_answer",
    "open_question",
    "question_after",
    "revokes_all",
    "set_rules",
    "take_answer",
]

ANSWER: Final = "1"
ANSWER_WITHIN: Final = timedelta(hours=24)
"""The law sets no time for the answer, only that silence ends everything (64.1200(a)(12)). A day is the platform's own
measure: later, a "1" may mean anything."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """``keep``: the purpose that may be asked about, or nothing."""

    keep: str = ""
    offers_alone: bool = False


def chosen() -> Chosen:
    """What the active tenant chose."""
    row = OptOutRules.objects.values_list("keep", "offers_alone").first()
    return Chosen(*row) if row else Chosen()


def set_rules(*, rules: Chosen) -> None:
    """Choose it; it holds from the next STOP on. Raises ``ValidationError`` for a purpose that cannot be kept."""
    row = OptOutRules.objects.first() or OptOutRules()
    before = {"asks about": row.get_keep_display(), "offers alone": row.offers_alone}
    row.keep, row.offers_alone = rules.keep, rules.offers_alone
    row.full_clean()
    row.save()
    after = {"asks about": row.get_keep_display(), "offers alone": row.offers_alone}
    audit.record("consent.opt_out_rules_changed", target=row, target_name="", before=before, after=after)


def revokes_all(day: date) -> bool:
    """Whether on that day a STOP ends everything by law, whatever it answers."""
    return day >= settings.REVOKE_ALL_FROM


def question_after(*, number: str, language: str) -> str:
    """The purpose about which the confirmation of the opt-out that was just recorded asks, noted as asked; empty: none.

    It asks about nothing that was not in force until then.
    """
    keep = chosen().keep
    suppression = Suppression.objects.filter(number=number, lifted_at=None).first() if keep else None
    if suppression is None or in_force_before(suppression, keep) is None:
        return ""
    OptOutQuestion.objects.create(number=number, purpose=keep, record_id=suppression.record_id, language=language)
    return keep


def is_answer(text: str) -> bool:
    """Whether a text says "1" and nothing else."""
    return normalize("NFKC", text).strip(" .\r\n\t") == ANSWER


def open_question(number: str) -> OptOutQuestion | None:
    """The question that an ``ANSWER`` from the number would be to: of the opt-out in force, and not too long ago."""
    asked = OptOutQuestion.objects.filter(number=number).order_by("-id").first()
    if asked is None or asked.answered_at or timezone.now() - asked.asked_at > ANSWER_WITHIN:
        return None
    in_force = Suppression.objects.filter(number=number, lifted_at=None, record_id=asked.record_id).exists()
    # A second STOP is an answer, too.
    stops = ConsentRecord.objects.filter(number=number, act=ConsentRecord.Act.OPT_OUT, id__gt=asked.record_id)
    return asked if in_force and not stops.exists() else None


def take_answer(*, number: str, wording: str, evidence: Mapping[str, object]) -> OptOutQuestion | None:
    """The person wants the one kind of text to go on; returns the question, or None when it is not open.

    What they had agreed to is recorded anew for that purpose alone; everything else stays ended.
    """
    hold_exclusively()
    asked = open_question(number)
    suppression = Suppression.objects.filter(number=number, lifted_at=None).first()
    if asked is None or suppression is None:
        return None
    renewed = in_force_before(suppression, asked.purpose)
    if renewed is None:
        return None
    lift(suppression)
    renew([renewed], wording=wording, evidence={**evidence, "opt_out": str(asked.record_id)})
    asked.answered_at = timezone.now()
    asked.save(update_fields=["answered_at"])
    return asked
