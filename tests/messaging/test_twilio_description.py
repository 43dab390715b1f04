"""What we say to Twilio is what its published description of its API allows. ``make prism`` asks Stoplight's Prism, too."""

import pytest

from tests.twilio_conversation import ACCOUNT, all_that_we_say, listener
from tests.twilio_description import problems

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
CREATE = {"To": "+12025550101", "From": "+12025550180", "Body": "Hi", "ValidityPeriod": "60"}


def test_all_that_we_say_is_described() -> None:
    with listener() as (address, said):
        all_that_we_say(address)
    assert {(one.method, one.path.rsplit("/", 1)[-1][:2]) for one in said} == {
        *(("POST", what) for what in ("Me", "SM", "Ac", "AC")),
        *(("GET", what) for what in ("Me", "SM", "Ac")),
    }
    assert [found for one in said for found in problems(one.method, one.path, one.query, one.form)] == []


@pytest.mark.parametrize(
    ("changes", "path", "problem"),
    [
        ({"To": None}, MESSAGES, "'To' is a required property"),
        ({"ValidityPeriod": "1 hour"}, MESSAGES, "'1 hour' is not of type 'integer'"),
        ({"MessagingServiceSid": "MG1"}, MESSAGES, "'MG1' does not match"),
        ({"IdempotencyKey": "1"}, MESSAGES, "'IdempotencyKey' was unexpected"),
        ({}, "/2010-04-01/Accounts/AC1/Messages.json", "'AC1' does not match"),
        ({}, "/2010-04-01/Messages.json", "is not described"),
    ],
)
def test_a_wrong_request_is_refused(changes: dict[str, str | None], path: str, problem: str) -> None:
    form = {name: value for name, value in {**CREATE, **changes}.items() if value is not None}
    assert problem in "\n".join(problems("POST", path, {}, form))
