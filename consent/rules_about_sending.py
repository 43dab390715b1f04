"""Rules of the gate about the text and its way: account, sender, content, hours, how often, what it costs."""

from typing import Final

from consent.decision import ANSWERS_TO_KEYWORDS, ASKS_FOR_OWN_NUMBER, BLOCK, DEFER, EMERGENCY, Decision, Facts

__all__ = [
    "NO_HOUR",
    "confirmation_is_in_time",
    "content_is_allowed",
    "not_a_duplicate",
    "one_per_number",
    "sender_is_ready",
    "sender_is_registered",
    "tenant_is_active",
    "text_is_complete",
    "text_is_current",
    "trial_allows_number",
    "trial_daily_limit",
    "within_frequency",
    "within_quiet_hours",
    "within_spend",
]

NO_HOUR: Final = "No hour is certain to be allowed where they may be; note their time zone with the contact"

_GOES_AT_ONCE: Final = ANSWERS_TO_KEYWORDS | {EMERGENCY}


def tenant_is_active(facts: Facts) -> Decision | None:
    """A suspended account sends nothing."""
    return None if facts.tenant_active else Decision(BLOCK, "tenant_is_active")


def trial_allows_number(facts: Facts) -> Decision | None:
    """Until a tenant is approved it texts its own team and guests, and whoever sends it a keyword."""
    if facts.exemption in ANSWERS_TO_KEYWORDS or facts.exemption == ASKS_FOR_OWN_NUMBER:
        return None
    return Decision(BLOCK, "trial_allows_number") if facts.beyond_trial else None


def sender_is_ready(facts: Facts) -> Decision | None:
    """There is a sender that may carry the message."""
    return Decision(BLOCK, "sender_is_ready", {"problem": facts.sender_problem}) if facts.sender_problem else None


def sender_is_registered(facts: Facts) -> Decision | None:
    """Carriers have approved what they want registered of the sender: in the US the brand and campaign of a local number
    (10DLC), the verification of a toll-free one. Countries whose carriers let no names through get none from a name."""
    problem = facts.registration_problem or facts.unreachable_by_sender
    return Decision(BLOCK, "sender_is_registered", {"problem": problem}) if problem else None


def text_is_complete(facts: Facts) -> Decision | None:
    """No merge tag is left without a value."""
    return (
        Decision(BLOCK, "text_is_complete", {"missing": list(facts.missing_values)}) if facts.missing_values else None
    )


def content_is_allowed(facts: Facts) -> Decision | None:
    """Nothing in the text is of a kind that carriers filter: such as a link of a public shortener (CTIA Messaging
    Principles 5.3.2)."""
    problem = facts.text_problem
    return Decision(BLOCK, "content_is_allowed", {"problem": problem}) if problem else None


def one_per_number(facts: Facts) -> Decision | None:
    """A campaign reaches a number once, even when two contacts share it."""
    return Decision(BLOCK, "one_per_number") if facts.already_in_cause else None


def confirmation_is_in_time(facts: Facts) -> Decision | None:
    """The confirmation of an opt-out goes within five minutes, or not at all (47 CFR 64.1200(a)(12))."""
    return Decision(BLOCK, "confirmation_is_in_time") if facts.too_late_to_confirm else None


def text_is_current(facts: Facts) -> Decision | None:
    """What was planned more than 30 days ago, and held back since, is not sent any more."""
    return Decision(BLOCK, "text_is_current") if facts.planned_long_ago else None


def not_a_duplicate(facts: Facts) -> Decision | None:
    """The person did not get the very same words from you a short time ago."""
    if not facts.same_text or facts.exemption in _GOES_AT_ONCE:
        return None
    return Decision(BLOCK, "not_a_duplicate", facts.same_text)


def within_quiet_hours(facts: Facts) -> Decision | None:
    """Offers go by day only, wherever the person may be (47 CFR 64.1200(c)(1) and stricter laws), and in your own hours.
    Answers and codes go at any hour."""
    opening = facts.opening
    if opening is None or opening.is_open:
        return None
    if opening.since is None:
        return Decision(BLOCK, "within_quiet_hours", {**facts.hours, "problem": NO_HOUR})
    return Decision(DEFER, "within_quiet_hours", facts.hours, until=opening.since)


def within_frequency(facts: Facts) -> Decision | None:
    """No more texts than you allow yourself, and no more offers in 24 hours than a state allows where the person may
    live (such as Fla. Stat. 501.616(6)(b)). The text waits until there is room, as long as it is of use."""
    full = facts.full
    if full is None or facts.exemption in _GOES_AT_ONCE:
        return None
    if facts.useful_until and full.wakes_at > facts.useful_until:
        return Decision(BLOCK, "within_frequency", full.as_data())
    return Decision(DEFER, "within_frequency", full.as_data(), until=full.wakes_at)


def within_spend(facts: Facts) -> Decision | None:
    """The month's texts cost no more than the limit that you set."""
    if not facts.spent or facts.exemption in _GOES_AT_ONCE:
        return None
    return Decision(BLOCK, "within_spend", facts.spent)


def trial_daily_limit(facts: Facts) -> Decision | None:
    """Until a tenant is approved it has so many texts a day. Asked last: only what would go counts."""
    if facts.exemption in ANSWERS_TO_KEYWORDS:
        return None
    return Decision(BLOCK, "trial_daily_limit") if facts.trial_used_up else None
