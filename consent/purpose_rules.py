"""The rules of each purpose that a tenant can choose, as they are in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consent.models import PurposeRules
from consent.purposes import PURPOSES_WITH_CONSENT, Purpose
from tenants import audit

__all__ = ["PURPOSES_WITH_FOOTER", "Rules", "footer_is_open", "has_footer", "rules_in_force", "rules_of", "set_rules"]

PURPOSES_WITH_FOOTER: Final = (Purpose.MARKETING, Purpose.TRANSACTIONAL, Purpose.REMINDER, Purpose.INTERNAL)
"""Texts of a conversation are written by somebody for somebody; codes are asked for each time."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a tenant asks of texts of one purpose."""

    agreement: str = PurposeRules.Agreement.LAW.value
    footer: str = PurposeRules.Footer.ALWAYS.value
    repeat_hours: int = 0

    @property
    def agreement_in_words(self) -> str:
        """How people must have agreed, as staff read it."""
        return PurposeRules.Agreement(self.agreement).label

    @property
    def footer_in_words(self) -> str:
        """Which texts end with the way out."""
        return PurposeRules.Footer(self.footer).label

    @property
    def repeats_in_words(self) -> str:
        """For how long the same words do not go again."""
        return f"Not within {self.repeat_hours} hours" if self.repeat_hours else "May go again"


_DEFAULTS: Final[Mapping[str, Rules]] = {Purpose.MARKETING: Rules(repeat_hours=24)}


def rules_in_force() -> dict[str, Rules]:
    """The active tenant's rules for each purpose that people agree to."""
    rows = PurposeRules.objects.values_list("purpose", "agreement", "footer", "repeat_hours")
    chosen = {purpose: Rules(agreement, footer, hours) for purpose, agreement, footer, hours in rows}
    return {
        purpose.value: chosen.get(purpose.value) or _DEFAULTS.get(purpose, Rules()) for purpose in PURPOSES_WITH_CONSENT
    }


def rules_of(purpose: str) -> Rules:
    """Those of one purpose; codes, which have none of their own, get what goes for everything."""
    return rules_in_force().get(purpose, Rules())


def has_footer(purpose: str, *, chosen: bool) -> bool:
    """Whether automated and mass texts of the purpose end with the way out; ``chosen`` where that is left open."""
    footer = rules_of(purpose).footer
    return footer == PurposeRules.Footer.ALWAYS or (footer == PurposeRules.Footer.CHOSEN and chosen)


def footer_is_open() -> bool:
    """Whether the rules of any purpose leave it to each campaign."""
    return any(rules.footer == PurposeRules.Footer.CHOSEN for rules in rules_in_force().values())


def set_rules(*, purpose: str, rules: Rules) -> None:
    """Choose the rules of a purpose. They hold for every text that has not gone out yet, but for its words.

    Raises ``ValidationError`` for what is none of the choices.
    """
    before = _as_audited(rules_in_force()[purpose])
    row = PurposeRules.objects.filter(purpose=purpose).first() or PurposeRules(purpose=purpose)
    row.agreement, row.footer, row.repeat_hours = rules.agreement, rules.footer, rules.repeat_hours
    row.full_clean()
    row.save()
    audit.record("consent.rules_changed", target=row, before=before, after=_as_audited(rules))


def _as_audited(rules: Rules) -> dict[str, str]:
    return {
        "agreement": rules.agreement_in_words,
        "footer": rules.footer_in_words,
        "same words": rules.repeats_in_words,
    }
