"""Every row of the providers' error tables: what it makes of a text, what it stops, and what staff read."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from messaging.models import Message
from messaging.providers.base import Outcome, Stops
from messaging.providers.codes import TABLES
from messaging.reasons import _BY_CLASS, _BY_STATUS, reason_of, trouble_of
from tests.messaging.test_stopped_senders import UNUSED_AT_TELNYX

TRY, REFUSED, UNKNOWN = Outcome.TRY_AGAIN, Outcome.REFUSED, Outcome.UNKNOWN

MEANT: Mapping[str, tuple[Outcome, Stops]] = {
    # Nothing more can go until a person acts.
    "pause_sender": (TRY, Stops.SENDER),
    "pause_account": (TRY, Stops.ACCOUNT),
    "pause_tenant_sender": (TRY, Stops.ACCOUNT),
    # Later.
    "backoff": (TRY, Stops.NOTHING),
    "backoff_and_retry": (TRY, Stops.NOTHING),
    "hold_and_retry_later": (TRY, Stops.NOTHING),
    "hold_until_next_day": (TRY, Stops.NOTHING),
    "retry_limited": (TRY, Stops.NOTHING),
    "retry_once": (TRY, Stops.NOTHING),
    # Only the record tells.
    "reconcile": (UNKNOWN, Stops.NOTHING),
    "reconcile_before_retry": (UNKNOWN, Stops.NOTHING),
    "no_auto_retry_for_charged_or_otp": (UNKNOWN, Stops.NOTHING),
    "decide_by_class": (UNKNOWN, Stops.NOTHING),
    # Never this text.
    "alert": (REFUSED, Stops.NOTHING),
    "end_verification": (REFUSED, Stops.NOTHING),
    "fail": (REFUSED, Stops.NOTHING),
    "fail_alert_admin": (REFUSED, Stops.NOTHING),
    "fail_no_suppress": (REFUSED, Stops.NOTHING),
    "fall_back_to_sms": (REFUSED, Stops.NOTHING),
    "log": (REFUSED, Stops.NOTHING),
    "mark_number_invalid": (REFUSED, Stops.NOTHING),
    "mark_number_invalid_after_repeats": (REFUSED, Stops.NOTHING),
    "mark_number_not_sms": (REFUSED, Stops.NOTHING),
    "no_retry_alert_and_pause_campaign_on_rate": (REFUSED, Stops.NOTHING),
    "no_retry_alert_velocity": (REFUSED, Stops.NOTHING),
    "offer_other_channel": (REFUSED, Stops.NOTHING),
    "record_optout_and_suppress": (REFUSED, Stops.NOTHING),
    "stop_autoreplies_for_pair": (REFUSED, Stops.NOTHING),
    "suppress_until_review": (REFUSED, Stops.NOTHING),
}
"""What becomes of a text that is refused with a code of this action, and what is paused by it."""

OF_NO_TEXT = {"inbound", "our_endpoint", "warning"}
"""Classes of codes that are never said of one outgoing text."""
MAY_PAUSE_ONE_DESTINATION = {"twilio": {"21606", "21703"}, "telnyx": set()}

ROWS = [(kind, code, row) for kind, table in TABLES.items() for code, row in table.entries.items()]
IDS = [f"{kind}-{code}" for kind, code, _ in ROWS]


@pytest.mark.parametrize(("kind", "code", "row"), ROWS, ids=IDS)
def test_what_a_row_makes_of_a_text(kind: str, code: str, row: Mapping[str, Any]) -> None:
    answered = TABLES[kind].classify(400, code)
    assert (answered.outcome, answered.stops, answered.error_code) == (*MEANT[row["action"]], code)
    assert answered.number_opted_out is (row["class"] == "consent")
    assert answered.perhaps_destination is (code in MAY_PAUSE_ONE_DESTINATION[kind])
    # A receipt's code pauses only what it is certain of.
    certain = Stops.NOTHING if answered.perhaps_destination else answered.stops
    assert TABLES[kind].stopped_by(code) == certain


@pytest.mark.parametrize(("kind", "code", "row"), ROWS, ids=IDS)
def test_what_staff_read(kind: str, code: str, row: Mapping[str, Any]) -> None:
    failed = cast("Message", SimpleNamespace(status=Message.Status.FAILED, error_code=code))
    read = reason_of(failed)
    if row["class"] in OF_NO_TEXT:
        assert read == _BY_STATUS[Message.Status.FAILED]
    else:
        assert read == _BY_CLASS[row["class"]]
    stopped = TABLES[kind].classify(400, code).stops or row["class"] == "throttle_daily"
    general = trouble_of("99999", kind)
    assert (trouble_of(code, kind) != general) is (bool(stopped) and code not in UNUSED_AT_TELNYX)


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_a_failure_of_the_provider_is_never_taken_for_a_no(kind: str) -> None:
    for code in (*TABLES[kind].entries, "99999", ""):
        assert TABLES[kind].classify(500, code).outcome is UNKNOWN
        assert TABLES[kind].classify(429, code).outcome is TRY


def test_no_words_are_left_over() -> None:
    assert set(_BY_CLASS) | OF_NO_TEXT >= {row["class"] for _, _, row in ROWS}
    assert set(_BY_CLASS) <= {row["class"] for _, _, row in ROWS}
    assert set(MEANT) == {row["action"] for _, _, row in ROWS}
