"""Why a text was not sent or did not arrive, in the words of the people who read it on a page."""

from collections.abc import Callable, Mapping
from typing import Final

from consent.gate import REASONS
from consent.models import ConsentRecord, NumberMark
from messaging.models import Message, ProviderAccount
from messaging.providers.codes import class_of

__all__ = ["decision_reason", "reason_of", "trouble_of"]

_BY_STATUS: Final[Mapping[str, str]] = {
    Message.Status.UNDELIVERED: "The phone network could not deliver it",
    Message.Status.FAILED: "The provider refused it",
    Message.Status.UNCONFIRMED: "Nobody told us whether it arrived",
    Message.Status.CANCELLED: "Stopped before it was sent",
    Message.Status.EXPIRED: "Its time ran out before it could be sent",
}

_BY_CLASS: Final[Mapping[str, str]] = {
    "consent": "Opted out at the phone network",
    "carrier_block": "The carrier blocks texts from this number to this person",
    "recipient_permanent": "This number cannot get texts",
    "recipient_transient": "The phone was switched off or out of reach",
    "recipient_capability": "This phone cannot show such a text",
    "content": "The text itself was refused",
    "content_or_compliance": "The carrier filtered it as unwanted",
    "fraud": "Held back as a sign of abuse",
    "config": "The sender or its account is not set up for this",
    "config_transient": "The sender is still being set up",
    "throttle": "Too many texts at once",
    "throttle_daily": "The sender's daily limit was reached",
    "loop_guard": "Too many answers between the two numbers in a short time",
    "otp_limit": "Too many codes were asked for by this number",
    "request": "The provider did not understand the request; tell the platform's team",
    "transient": "The phone network had a failure",
    "transient_ambiguous": "The provider had a failure, and it is not known whether the text was sent",
    "route": "This sender cannot reach this number",
    "expired": "Its time ran out before it could be sent",
}

_BY_CODE: Final[Mapping[str, str]] = {
    "not_connected": "The provider could not be reached in time",
    "account_broken": "The provider did not answer until it was too late",
    "account_unusable": "The provider account could not be used until it was too late",
    "day_used_up": "The day's parts of its number were used up until it was too late",
    "paced": "Its number had more to send than carriers let it send in time",
    "sender_paused": "Its sender was paused until it was too late",
    "never_arrived": "It got lost on its way to the provider, and such a text is not sent twice",
    "not_preparable": "Something about it could not be processed, while the others went on. Tell your support",
    "quiet_hours": "It would have had to wait too long for an hour at which they may be texted",
    "fenced": "The provider was too slow to take it in time",
}


_STOPPED_BY_TWILIO: Final = {
    "20003": "The provider refuses the account's key, or has suspended the account. Enter the present auth token or API key.",
    "21212": "The provider does not know this number as a sender. Check it at the provider.",
    "21601": "The number cannot send texts, or belongs to another account. Check it at the provider.",
    "21606": "The number cannot send texts any more, or not to the country that was tried. Check it at the provider.",
    "21607": "The provider's trial account may only send from its own number.",
    "21701": "The messaging service does not exist at the provider.",
    "21703": "The messaging service has no number that can reach the country that was tried.",
    "21704": "The messaging service has no numbers.",
    "21705": "The messaging service's id is wrong.",
    "30002": "The provider has suspended the account. Ask the provider why.",
    "30024": "The carrier does not know the number yet. Ask the provider to set it up.",
    "30032": "The toll-free number is not verified. Finish its verification at the provider.",
    "30033": "The registered campaign of the number was suspended. See the registration at the provider.",
    "30034": "The number is not registered for business texts in the US (10DLC). Finish its registration.",
}
_STOPPED_BY_TELNYX: Final = {
    "10009": "Telnyx does not accept the account's API key. Enter the present one.",
    "10010": "The account's API key may not send texts. Give it that permission at Telnyx, or enter another one.",
    "20002": "The account's API key was revoked. Enter the present one.",
    "20012": "Telnyx has deactivated the account, perhaps for lack of funds.",
    "20013": "Telnyx has blocked the account. Ask Telnyx why.",
    "20014": "The account is not verified. Finish that at Telnyx.",
    "20015": "Texting is not enabled for the account. Ask Telnyx to enable it.",
    "20016": "The account is not verified. Finish that at Telnyx.",
    "20017": "The account is not verified at level 2. Ask Telnyx for that.",
    "20100": "The account has no funds left at Telnyx. Add some, then take it up again.",
    "40003": "A carrier blocks the number as a source of unwanted texts. Ask Telnyx to have that looked at.",
    "40010": "The number is not registered for business texts in the US (10DLC). Finish its registration.",
    "40100": "The number cannot text yet. Give it a messaging profile at Telnyx.",
    "40150": "The toll-free number is not registered. Have it registered at Telnyx.",
    "40151": "Another provider is taking over the texts of this number. Ask Telnyx.",
    "40305": "The number is not one of the account's, or not in its messaging profile. Check it at Telnyx.",
    "40306": "The messaging profile has no name as a sender. Set it up at Telnyx.",
    "40312": "The number's messaging profile is switched off. Switch it on at Telnyx.",
    "40314": "Telnyx has switched texting off for the account. Ask Telnyx why.",
    "40315": "Telnyx finds the number unhealthy: too few of its texts arrive, or too many are taken for spam.",
    "40321": "The messaging profile has no number that can be used. Add one at Telnyx.",
    "40329": "The toll-free number is not verified. Finish its verification at Telnyx.",
}
_STOPPED_BY: Final[Mapping[str, dict[str, str]]] = {
    ProviderAccount.Kind.TWILIO: _STOPPED_BY_TWILIO,
    ProviderAccount.Kind.TELNYX: _STOPPED_BY_TELNYX,
    # The simulated network answers with Twilio's codes.
    ProviderAccount.Kind.SIMULATOR: _STOPPED_BY_TWILIO,
}

_STOPPED_HERE: Final = {
    "not_compared": "The database was restored from a backup, and the provider could not be asked what it has sent since. "
    "Take it up again when it can, or when texts that may go twice do no harm.",
}

_HELD_BY: Final = {
    "30023": "The carrier takes no more texts of this brand today. They go on when its day begins anew.",
    "30027": "T-Mobile takes no more texts of this brand today. They go on when its day begins anew.",
    "40016": "T-Mobile takes no more texts of this brand today. They go on when its day begins anew.",
    "63038": "The provider takes no more texts of this account today. They go on when its day begins anew.",
}


_FAULTS: Final[Mapping[str, str]] = {kind.value: kind.label[0].lower() + kind.label[1:] for kind in NumberMark.Kind}
"""Why a number is marked, as the rest of a sentence."""


def trouble_of(error_code: str, kind: str) -> str:
    """Why the platform paused a sender or an account at such a provider, or holds it for the day, and what to do about it."""
    general = "The provider refuses it. See what its error code means, mend that, and take it up again."
    return (_STOPPED_HERE | _HELD_BY | _STOPPED_BY.get(kind, {})).get(error_code, general)


def reason_of(message: Message) -> str:
    """One sentence for a message that was not sent or did not arrive; empty for any other."""
    if message.status in (Message.Status.BLOCKED, Message.Status.DEFERRED):
        return decision_reason(message.decision)
    general = _BY_STATUS.get(message.status, "")
    known = _BY_CODE.get(message.error_code) or _BY_CLASS.get(class_of(message.error_code))
    return known or general if general else ""


def decision_reason(decision: Mapping[str, object]) -> str:
    """The rule that objected, with what it objected to, without a full stop. ``decision``: as ``Decision.as_json``."""
    rule = str(decision.get("rule", ""))
    reason = REASONS.get(rule, "")
    data = decision.get("data")
    if not isinstance(data, Mapping):
        return reason
    if problem := data.get("problem"):
        return str(problem).rstrip(".")
    if rule in _DETAILS:
        return _DETAILS[rule](reason, data)
    if missing := data.get("missing"):
        return f"{reason}: {', '.join(map(str, missing))}"
    return reason


def _how_many(reason: str, data: Mapping[str, object]) -> str:
    return f"{reason}: {data.get('sent')} of {data.get('limit')} in {data.get('hours')} hours"


def _what_is_wrong(reason: str, data: Mapping[str, object]) -> str:
    return f"{reason}: {_FAULTS.get(str(data.get('why')), 'its provider says so')}"


def _from_when_until(reason: str, data: Mapping[str, object]) -> str:
    agreed, ended = (str(data.get(name))[:10] for name in ("agreed", "ended"))
    return f"{reason} (agreed on {agreed}, ended on {ended})"


def _same_words(reason: str, data: Mapping[str, object]) -> str:
    return f"{reason}: within {data.get('hours')} hours"


def _how_much(reason: str, data: Mapping[str, object]) -> str:
    spent, limit = (int(str(data.get(name, 0))) / 1_000_000 for name in ("spent_micros", "limit_micros"))
    return f"{reason}: {data.get('currency')} {spent:,.2f} of {limit:,.2f}"


def _how_they_agreed(reason: str, data: Mapping[str, object]) -> str:
    return f"{reason} ({_AGREED_BY.get(str(data.get('agreed_by')), 'by other means')})"


_AGREED_BY: Final[Mapping[str, str]] = {
    source.value: f"on record: {source.label[0].lower()}{source.label[1:]}" for source in ConsentRecord.Source
}

_DETAILS: Final[Mapping[str, Callable[[str, Mapping[str, object]], str]]] = {
    "within_frequency": _how_many,
    "number_is_reachable": _what_is_wrong,
    "consent_is_current": _from_when_until,
    "not_a_duplicate": _same_words,
    "within_spend": _how_much,
    "agreement_is_strong_enough": _how_they_agreed,
}
