"""Rules of the gate about the person: whether the number may be texted at all, and whether they agreed to this."""

from typing import Final

from consent.decision import ANSWERS_TO_KEYWORDS, ASKS_TO_CONFIRM, BLOCK, Decision, Facts
from consent.purposes import Purpose

__all__ = [
    "agreement_is_strong_enough",
    "consent_is_current",
    "contact_is_not_archived",
    "no_stop_in_question",
    "number_is_not_suppressed",
    "number_is_reachable",
    "number_kept_its_owner",
    "opt_in_is_confirmed",
    "person_agreed",
    "person_is_not_erased",
    "suppressed",
    "taken_back",
]

_GOES_TO_ARCHIVED: Final = frozenset({Purpose.SUPPORT, Purpose.VERIFICATION, Purpose.INTERNAL})


def number_is_not_suppressed(facts: Facts) -> Decision | None:
    """Nothing goes to a number that must not be texted, except the answer to its own keyword."""
    if not facts.suppressed_because or facts.exemption in ANSWERS_TO_KEYWORDS:
        return None
    return suppressed(facts.suppressed_because)


def suppressed(because: str) -> Decision:
    """The refusal of everything that goes to a suppressed number."""
    return Decision(BLOCK, "number_is_not_suppressed", {"because": because})


def number_is_reachable(facts: Facts) -> Decision | None:
    """The number can get texts: no provider said of it that it does not exist, is a landline or is out of service."""
    return Decision(BLOCK, "number_is_reachable", facts.unreachable) if facts.unreachable else None


def person_is_not_erased(facts: Facts) -> Decision | None:
    """Nothing goes to somebody whose data was erased after the text was planned."""
    return Decision(BLOCK, "person_is_not_erased") if facts.person_erased else None


def contact_is_not_archived(facts: Facts) -> Decision | None:
    """An archived contact gets answers and codes only, nothing that the business begins."""
    if facts.purpose in _GOES_TO_ARCHIVED or facts.exemption in ANSWERS_TO_KEYWORDS:
        return None
    return Decision(BLOCK, "contact_is_not_archived") if facts.contact_archived else None


def person_agreed(facts: Facts) -> Decision | None:
    """The person agreed to this purpose. A conversation they opened and a code they ask for need no record."""
    if facts.exemption in ANSWERS_TO_KEYWORDS or facts.purpose == Purpose.VERIFICATION:
        return None
    if facts.consent == "opt_in":
        return None
    if facts.consent == "opt_out":
        return taken_back(facts.consent_record)
    if facts.purpose == Purpose.SUPPORT and facts.wrote_to_us:
        return None
    return Decision(BLOCK, "person_agreed", {"consent": "none"})


def taken_back(record: str) -> Decision:
    """The refusal of a kind of text of which the person wants no more."""
    return Decision(BLOCK, "person_agreed", {"consent": "opt_out", "record": record})


def agreement_is_strong_enough(facts: Facts) -> Decision | None:
    """The person agreed in the way that this kind of text needs: offers in the US in writing (47 CFR 64.1200(a)(2) and
    (f)(9)), and whatever else you ask for."""
    if not facts.agreement_too_weak or not _rests_on_consent(facts):
        return None
    return Decision(BLOCK, "agreement_is_strong_enough", facts.agreement_too_weak)


def number_kept_its_owner(facts: Facts) -> Decision | None:
    """The number still belongs to who agreed: consent from before it was deactivated or reassigned counts no more."""
    changed = facts.changed_hands_at
    if changed is None or not _rests_on_consent(facts) or (facts.consent_since and facts.consent_since >= changed):
        return None
    agreed = facts.consent_since.isoformat() if facts.consent_since else ""
    data = {"record": facts.consent_record, "agreed": agreed, "changed_hands": changed.isoformat()}
    return Decision(BLOCK, "number_kept_its_owner", data)


def consent_is_current(facts: Facts) -> Decision | None:
    """The agreement has not ended: you let it count for so many months, and a law may let what is only inferred from a
    purchase or an inquiry count for less (Canada's CASL: two years, six months)."""
    if not facts.consent_has_ended or not _rests_on_consent(facts):
        return None
    data = {
        "record": facts.consent_record,
        "agreed": facts.consent_since.isoformat() if facts.consent_since else "",
        "ended": facts.consent_ends_at.isoformat() if facts.consent_ends_at else "",
        "because": facts.consent_ends_because,
    }
    return Decision(BLOCK, "consent_is_current", data)


def opt_in_is_confirmed(facts: Facts) -> Decision | None:
    """Where you want an agreement to offers confirmed, the person has answered YES to the text that asks for it."""
    waits = facts.awaits_confirmation_since
    if waits is None or facts.purpose != Purpose.MARKETING or facts.exemption == ASKS_TO_CONFIRM:
        return None
    asked = facts.asked_to_confirm_at.isoformat() if facts.asked_to_confirm_at else ""
    data = {"record": facts.consent_record, "waits_since": waits.isoformat(), "asked": asked}
    return Decision(BLOCK, "opt_in_is_confirmed", data)


def _rests_on_consent(facts: Facts) -> bool:
    """Whether the text goes because of an agreement on record."""
    if facts.exemption in ANSWERS_TO_KEYWORDS or facts.purpose == Purpose.VERIFICATION:
        return False
    return facts.consent == "opt_in" and not (facts.purpose == Purpose.SUPPORT and facts.wrote_to_us)


def no_stop_in_question(facts: Facts) -> Decision | None:
    """No offers to somebody who may have asked to stop, until a person has read it and decided."""
    if facts.may_have_opted_out and facts.purpose == Purpose.MARKETING:
        return Decision(BLOCK, "no_stop_in_question")
    return None
