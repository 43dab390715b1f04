"""How each status is shown: a word, a tone (colour), an icon and what it means in one sentence."""

from dataclasses import dataclass
from typing import Literal

Tone = Literal["neutral", "info", "good", "warn", "bad", "primary"]


@dataclass(frozen=True, slots=True)
class StatusLook:
    """`icon` is a Lucide name; `tone` one of the CSS classes `tone-*`."""

    label: str
    tone: Tone
    icon: str
    meaning: str = ""


_MESSAGE = {
    "queued": StatusLook("Queued", "neutral", "clock", "Waiting for its turn."),
    "leased": StatusLook("Sending", "info", "send", "Being handed to the provider now."),
    "submitting": StatusLook("Sending", "info", "send", "Being handed to the provider now."),
    "accepted": StatusLook("Accepted", "info", "check", "The provider has taken the text."),
    "sent": StatusLook("Sent", "info", "check", "On its way through the phone network."),
    "delivered": StatusLook("Delivered", "good", "check-check", "The text reached the phone."),
    "undelivered": StatusLook(
        "Undelivered", "bad", "message-square-x", "The phone network could not deliver the text."
    ),
    "failed": StatusLook("Failed", "bad", "circle-x", "The provider refused the text."),
    "unknown": StatusLook("Checking", "warn", "circle-question-mark", "No clear answer yet; we are asking again."),
    "unconfirmed": StatusLook("Unconfirmed", "warn", "circle-question-mark", "Nobody told us whether it arrived."),
    "blocked": StatusLook("Blocked", "warn", "shield-ban", "A rule did not allow this text."),
    "deferred": StatusLook("Waiting", "neutral", "moon", "Held until the person may be texted."),
    "cancelled": StatusLook("Cancelled", "neutral", "circle-slash", "Stopped before it was sent."),
    "expired": StatusLook("Expired", "neutral", "hourglass", "Its time ran out before sending."),
}

_CAMPAIGN = {
    "draft": StatusLook("Draft", "neutral", "pencil-line", "Not started; still being written."),
    "scheduled": StatusLook("Scheduled", "info", "calendar-clock", "Starts at the set time."),
    "launching": StatusLook("Starting", "info", "rocket", "The recipients are being put in order."),
    "sending": StatusLook("Sending", "info", "send", "Texts are going out now."),
    "paused": StatusLook("Paused", "warn", "circle-pause", "Nothing goes out until it is resumed."),
    "completed": StatusLook("Completed", "good", "circle-check", "Every recipient was handled."),
}

_CONSENT = {
    "opted_in": StatusLook("Opted in", "good", "user-check", "Agreed to be texted."),
    "opted_out": StatusLook("Opted out", "bad", "user-x", "Asked not to be texted."),
    "none": StatusLook("No consent", "neutral", "user", "Has neither agreed nor refused."),
}

_IMPORT_ROW = {
    "created": StatusLook("Created", "good", "circle-plus", "A new contact."),
    "updated": StatusLook("Updated", "info", "refresh-cw", "A known contact was changed."),
    "unchanged": StatusLook("Unchanged", "neutral", "equal", "Already known with the same data."),
    "merged": StatusLook("Merged", "info", "merge", "Joined with another row of the same number."),
    "rejected": StatusLook("Rejected", "bad", "circle-x", "Could not be used; see the reason."),
}

_REGISTRATION = {
    "registration_draft": StatusLook("Being prepared", "neutral", "pencil-line", "Not sent to the carriers yet."),
    "registration_submitted": StatusLook(
        "Submitted", "info", "send", "The carriers have it and have not answered yet."
    ),
    "registration_approved": StatusLook("Approved", "good", "circle-check", "The carriers accepted it."),
    "registration_rejected": StatusLook("Rejected", "bad", "circle-x", "The carriers refused it; see the reason."),
    "registration_expired": StatusLook("Expired", "warn", "hourglass", "It has to be renewed."),
}

STATUS_LOOKS: dict[str, StatusLook] = _MESSAGE | _CAMPAIGN | _CONSENT | _IMPORT_ROW | _REGISTRATION


def status_look(status: str) -> StatusLook:
    """Look of a status by its stored name; "opted in", "opted-in" and "OPTED_IN" are one name.

    A status without an entry is shown neutrally in its own words rather than not at all.
    """
    name = status.strip().lower().replace(" ", "_").replace("-", "_")
    known = STATUS_LOOKS.get(name)
    return known or StatusLook(name.replace("_", " ").capitalize(), "neutral", "circle-dashed")
