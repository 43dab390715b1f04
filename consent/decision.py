"""What the rules of the gate look at, and what they say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from consent.frequency import Full
from consent.windows import Opening

__all__ = [
    "ALLOW",
    "ANSWERS_TO_KEYWORDS",
    "ASKS_FOR_OWN_NUMBER",
    "ASKS_TO_CONFIRM",
    "BLOCK",
    "CONFIRMATIONS_OF_STOP",
    "CONFIRM_WITHIN",
    "DEFER",
    "EMERGENCY",
    "RULES_VERSION",
    "Decision",
    "Facts",
    "Rule",
]

RULES_VERSION: Final = "2026-11-23.4"

ALLOW: Final = "allow"
DEFER: Final = "defer"
BLOCK: Final = "block"

ANSWERS_TO_KEYWORDS: Final = frozenset(
    {
        "opt_out_confirmation",
        "offers_end_confirmation",
        "kept_confirmation",
        "opt_in_confirmation",
        "opt_in_welcome",
        "help_reply",
    }
)
"""Exemptions: the one confirmation of an opt-out (47 CFR 64.1200(a)(12)), its opposites, and the answer to HELP, which
must be given whether or not the person is subscribed (CTIA short code handbook)."""


ASKS_TO_CONFIRM: Final = "asks_to_confirm"
"""Exemption: the one text that asks whoever agreed to offers for the YES that makes it count."""

ASKS_FOR_OWN_NUMBER: Final = "asks_for_own_number"
"""Exemption: the question to a member whether the number they typed is theirs."""

CONFIRMATIONS_OF_STOP: Final = frozenset({"opt_out_confirmation", "offers_end_confirmation"})
CONFIRM_WITHIN: Final = timedelta(minutes=5)
"""A confirmation of an opt-out is covered by the consent that it ends for so long (47 CFR 64.1200(a)(12))."""

EMERGENCY: Final = "emergency"
"""Exemption: an alert about health, safety or an outage, for which an owner or manager gave a reason. It does not wait
for hours, limits or the month's budget. Opt-outs and missing consent hold against it, although the law (47 CFR
64.1200(a)(1)) would ask for no consent: nobody gets anything after STOP."""


@dataclass(slots=True, eq=False)
class Facts:
    """All that the rules look at, for one message. Not frozen, which would make it slower to build; nobody changes one."""

    purpose: str
    tenant_active: bool = True
    sender_problem: str = ""
    """Why no sender can carry the message, or an empty string."""
    registration_problem: str = ""
    """Why carriers' registrations keep the sender from texting, or an empty string."""
    unreachable_by_sender: str = ""
    """Why this kind of sender cannot text this number, or an empty string."""
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
    agreement_too_weak: Mapping[str, object] = field(default_factory=dict)
    """How they agreed, where that does not do for this kind of text (``consent.agreements``); empty: it does."""
    exemption: str = ""
    opening: Opening | None = None
    """The hours in which the person may be texted (``consent.quiet_hours``); None: at any hour."""
    hours: Mapping[str, object] = field(default_factory=dict)
    """What they rest on: zones, jurisdictions, version of the table."""
    planned_long_ago: bool = False
    text_problem: str = ""
    """What carriers do not let through in the text, or an empty string."""
    same_text: Mapping[str, object] = field(default_factory=dict)
    """The text that said the same to them not long ago; empty: there is none."""
    spent: Mapping[str, object] = field(default_factory=dict)
    """The limit of the month's spending that the text would go beyond; empty: it does not."""
    full: Full | None = None
    """A limit of texts to this person that is reached (``consent.frequency``)."""
    confirm_by: datetime | None = None
    """Of a confirmation of an opt-out: it does not go after this."""
    too_late_to_confirm: bool = False
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
