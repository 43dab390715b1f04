"""The gate: may this message go to this person now, and if not, why not.

``decide`` is a pure function over facts that ``consent.facts`` loads for a whole batch. It asks an ordered tuple of
small rules; the first that objects decides. The decision is stored with every recipient, together with the version
of the rules, so that each "why" and "why not" can be read years later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from consent.frequency import Full
from consent.purposes import Purpose
from consent.windows import Opening

__all__ = [
    "ALLOW",
    "ASKS_TO_CONFIRM",
    "BLOCK",
    "DEFER",
    "REASONS",
    "RULES",
    "RULES_VERSION",
    "Decision",
    "Facts",
    "decide",
    "suppressed",
]

RULES_VERSION: Final = "2026-11-23.3"

ALLOW: Final = "allow"
DEFER: Final = "defer"
BLOCK: Final = "block"

ANSWERS_TO_KEYWORDS: Final = frozenset({"opt_out_confirmation", "opt_in_confirmation", "opt_in_welcome", "help_reply"})
"""Exemptions: the one confirmation of an opt-out (47 CFR 64.1200(a)(12)), its opposites, and the answer to HELP, which
must be given whether or not the person is subscribed (CTIA short code handbook)."""


ASKS_TO_CONFIRM: Final = "asks_to_confirm"
"""Exemption: the one text that asks whoever agreed to offers for the YES that makes it count."""

ASKS_FOR_OWN_NUMBER: Final = "asks_for_own_number"
"""Exemption: the question to a member whether the number they typed is theirs."""

NO_HOUR: Final = "No hour is certain to be allowed where they may be; note their time zone with the contact"

_GOES_TO_ARCHIVED: Final = frozenset({Purpose.SUPPORT, Purpose.VERIFICATION, Purpose.INTERNAL})


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rules look at, for one message."""

    purpose: str
    tenant_active: bool = True
    sender_problem: str = ""
    """Why no sender can carry the message, or an empty string."""
    registration_problem: str = ""
    """Why carriers' registrations keep the sender from texting, or an empty string."""
    suppressed_because: str = ""
    unreachable: Mapping[str, object] = field(default_factory=dict)
    """Why the number cannot get texts (``consent.number_marks``); empty: nothing is known."""
    changed_hands_at: datetime | None = None
    """Since when the number is not the same person's (``consent.changed_numbers``)."""
    consent: str = ""
    """The latest act for the purpose: "opt_in", "opt_out", or "" when the person never said anything."""
    consent_record: str = ""
    consent_since: datetime | None = None
    consent_ends_at: datetime | None = None
    """When the agreement ends by itself (``consent.validity``); None: it does not."""
    consent_ends_because: str = ""
    consent_has_ended: bool = False
    awaits_confirmation_since: datetime | None = None
    """Their agreement waits for a YES (``consent.double_opt_in``) since then; None: it does not."""
    asked_to_confirm_at: datetime | None = None
    may_have_opted_out: bool = False
    """They wrote something that may ask to stop, and nobody has decided yet whether it does."""
    contact_archived: bool = False
    person_erased: bool = False
    """Their data was erased after the message was planned; the text went with it."""
    wrote_to_us: bool = False
    """The person opened the conversation by texting the tenant, since the number is theirs."""
    missing_values: tuple[str, ...] = ()
    """Merge tags of the text without a value or default for this person."""
    beyond_trial: bool = False
    """The tenant is in trial, and the number is neither its team's nor a guest's."""
    trial_used_up: bool = False
    """The tenant is in trial, and has handed over its texts of today."""
    already_in_cause: bool = False
    """Another message of the same campaign goes to this number."""
    exemption: str = ""
    opening: Opening | None = None
    """The hours in which the person may be texted (``consent.quiet_hours``); None: at any hour."""
    hours: Mapping[str, object] = field(default_factory=dict)
    """What they rest on: zones, jurisdictions, version of the table."""
    planned_long_ago: bool = False
    full: Full | None = None
    """A limit of texts to this person that is reached (``consent.frequency``)."""
    useful_until: datetime | None = None
    """After it the text is of no use any more; None: it never ends."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, the rule that decided, and the data it decided on.

    ``until``: of a deferral when it ends; of a permission when it ends.
    """

    outcome: str
    rule: str
    data: Mapping[str, object] = field(default_factory=dict)
    until: datetime | None = None

    def as_json(self) -> dict[str, object]:
        """What is stored with the recipient."""
        stored: dict[str, object] = {"outcome": self.outcome, "rule": self.rule, "rules_version": RULES_VERSION}
        if self.data:
            stored["data"] = dict(self.data)
        if self.until:
            stored["until"] = self.until.isoformat()
        return stored


Rule = Callable[[Facts], Decision | None]


def tenant_is_active(facts: Facts) -> Decision | None:
    """A suspended account sends nothing."""
    return None if facts.tenant_active else Decision(BLOCK, "tenant_is_active")


def sender_is_ready(facts: Facts) -> Decision | None:
    """There is a sender that may carry the message."""
    return Decision(BLOCK, "sender_is_ready", {"problem": facts.sender_problem}) if facts.sender_problem else None


def sender_is_registered(facts: Facts) -> Decision | None:
    """Carriers have approved what they want registered of the sender: in the US the brand and campaign of a local number
    (10DLC), the verification of a toll-free one."""
    problem = facts.registration_problem
    return Decision(BLOCK, "sender_is_registered", {"problem": problem}) if problem else None


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
        return Decision(BLOCK, "person_agreed", {"consent": "opt_out", "record": facts.consent_record})
    if facts.purpose == Purpose.SUPPORT and facts.wrote_to_us:
        return None
    return Decision(BLOCK, "person_agreed", {"consent": "none"})


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


def trial_allows_number(facts: Facts) -> Decision | None:
    """Until a tenant is approved it texts its own team and guests, and whoever sends it a keyword."""
    if facts.exemption in ANSWERS_TO_KEYWORDS or facts.exemption == ASKS_FOR_OWN_NUMBER:
        return None
    return Decision(BLOCK, "trial_allows_number") if facts.beyond_trial else None


def trial_daily_limit(facts: Facts) -> Decision | None:
    """Until a tenant is approved it has so many texts a day. Asked last: only what would go counts."""
    if facts.exemption in ANSWERS_TO_KEYWORDS:
        return None
    return Decision(BLOCK, "trial_daily_limit") if facts.trial_used_up else None


def text_is_complete(facts: Facts) -> Decision | None:
    """No merge tag is left without a value."""
    return (
        Decision(BLOCK, "text_is_complete", {"missing": list(facts.missing_values)}) if facts.missing_values else None
    )


def one_per_number(facts: Facts) -> Decision | None:
    """A campaign reaches a number once, even when two contacts share it."""
    return Decision(BLOCK, "one_per_number") if facts.already_in_cause else None


def within_quiet_hours(facts: Facts) -> Decision | None:
    """Offers go by day only, wherever the person may be (47 CFR 64.1200(c)(1) and stricter laws), and in your own hours.
    Answers and codes go at any hour."""
    opening = facts.opening
    if opening is None or opening.is_open:
        return None
    if opening.since is None:
        return Decision(BLOCK, "within_quiet_hours", {**facts.hours, "problem": NO_HOUR})
    return Decision(DEFER, "within_quiet_hours", facts.hours, until=opening.since)


def text_is_current(facts: Facts) -> Decision | None:
    """What was planned more than 30 days ago, and held back since, is not sent any more."""
    return Decision(BLOCK, "text_is_current") if facts.planned_long_ago else None


def within_frequency(facts: Facts) -> Decision | None:
    """No more texts than you allow yourself, and no more offers in 24 hours than a state allows where the person may
    live (such as Fla. Stat. 501.616(6)(b)). The text waits until there is room, as long as it is of use."""
    full = facts.full
    if full is None or facts.exemption in ANSWERS_TO_KEYWORDS:
        return None
    if facts.useful_until and full.wakes_at > facts.useful_until:
        return Decision(BLOCK, "within_frequency", full.as_data())
    return Decision(DEFER, "within_frequency", full.as_data(), until=full.wakes_at)


RULES: Final[tuple[Rule, ...]] = (
    tenant_is_active,
    trial_allows_number,
    sender_is_ready,
    sender_is_registered,
    number_is_not_suppressed,
    number_is_reachable,
    person_is_not_erased,
    contact_is_not_archived,
    person_agreed,
    number_kept_its_owner,
    consent_is_current,
    opt_in_is_confirmed,
    no_stop_in_question,
    text_is_complete,
    one_per_number,
    text_is_current,
    within_quiet_hours,
    within_frequency,
    trial_daily_limit,
)

REASONS: Final[Mapping[str, str]] = {
    "tenant_is_active": "This account is suspended or about to be deleted",
    "trial_allows_number": "In trial only your own team and guests can be texted",
    "sender_is_ready": "No sender can carry this text",
    "sender_is_registered": "The sender's registration is not approved",
    "number_is_not_suppressed": "Opted out of all texts",
    "number_is_reachable": "This number cannot get texts",
    "person_is_not_erased": "This person's data was erased",
    "contact_is_not_archived": "This contact is archived",
    "person_agreed": "Has not agreed to this kind of text",
    "number_kept_its_owner": "The number changed hands since they agreed",
    "consent_is_current": "Their agreement is too old; ask them anew",
    "opt_in_is_confirmed": "They have not confirmed with YES yet",
    "no_stop_in_question": "May have asked to stop; decide about it in the inbox",
    "text_is_complete": "A value for the text is missing",
    "one_per_number": "The same person or number gets this text already",
    "text_is_current": "It was planned too long ago",
    "within_quiet_hours": "It is night where they are, or outside your hours",
    "within_frequency": "They got as many texts as are allowed",
    "trial_daily_limit": "The texts of today's trial are used up",
}
"""What staff read, by rule."""


def decide(facts: Facts) -> Decision:
    """Ask the rules in order; allow when none objects."""
    for rule in RULES:
        decision = rule(facts)
        if decision is not None:
            return decision
    until = facts.opening.until if facts.opening else None
    return Decision(ALLOW, "all_rules_passed", _grounds(facts), until)


def _grounds(facts: Facts) -> dict[str, object]:
    """What an allowed message rests on."""
    if facts.exemption:
        return {"exemption": facts.exemption}
    if facts.consent == "opt_in":
        return {"record": facts.consent_record, **facts.hours}
    return {"wrote_to_us": True} if facts.wrote_to_us else {}
