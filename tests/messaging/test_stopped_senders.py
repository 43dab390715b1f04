"""What the provider refuses because of the sender or its account: that is paused, and no text is used up (fault F32)."""

import json
from typing import Any

import pytest
from aiohttp import web
from django.test import Client
from django.urls import reverse

from common.lanes import MARKETING
from messaging.models import Attempt, ProviderAccount, Sender
from messaging.pipeline import trouble
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.receipt import apply_pending, store
from messaging.providers.base import StatusUpdate, Stops
from messaging.providers.codes import TABLES
from messaging.providers.registry import PROVIDERS
from messaging.providers.telnyx.errors import ERRORS as TELNYX
from messaging.providers.twilio.errors import ERRORS as TWILIO
from messaging.reasons import _STOPPED_BY, trouble_of
from messaging.services import add_provider_account, replace_secret, set_account_status, set_sender_status
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.messaging.test_dispatch import number, queue, statuses
from tests.messaging.test_trouble import due_now, provider, taken
from tests.web import confirm, sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clinic(committed_cast: Cast) -> Company:
    return committed_cast.clinic


def refused(code: str, status: int = 400) -> Any:
    async def answer(to: str) -> web.StreamResponse:
        return web.json_response({"error_code": code}, status=status)

    return answer


def states(company: Company) -> tuple[str, str]:
    """Of the sender and its account: in use, or the code for which it was paused."""
    with tenant_scope(company.tenant.id):
        both = (Sender.objects.get(), ProviderAccount.objects.get())
        return tuple(each.trouble or each.status for each in both)  # type: ignore[return-value]


PAUSED = [
    ("21212", 400, ("21212", "active")),
    ("21601", 400, ("21601", "active")),
    ("21606", 400, ("21606", "active")),
    ("21704", 400, ("21704", "active")),
    ("30034", 400, ("30034", "active")),
    ("20003", 401, ("active", "20003")),
    ("", 401, ("active", "http_401")),
]


@pytest.mark.parametrize(("code", "status", "paused"), PAUSED)
def test_nothing_is_used_up(clinic: Company, settings: Any, code: str, status: int, paused: tuple[str, str]) -> None:
    people = [number(n) for n in range(1, 6)]
    queue(clinic, people)
    queue(clinic, [number(7)])
    with provider(settings, refused(code, status)) as asked:
        while run_next_batch(MARKETING):
            pass
        assert sorted(asked) == people, "the second batch was not offered any more"
        due_now(clinic)
        run_next_batch(MARKETING)
        assert len(asked) == len(people)
    assert states(clinic) == paused
    assert set(statuses(clinic).values()) == {"queued"}
    with tenant_scope(clinic.tenant.id):
        entry = AuditEntry.objects.get(action__endswith=".stopped")
        assert entry.after == {"error_code": code or "http_401"}
        set_sender_status(sender=Sender.objects.get(), active=True)
        set_account_status(account=ProviderAccount.objects.get(), active=True)
    assert states(clinic) == ("active", "active")
    with provider(settings, taken) as asked:
        due_now(clinic)
        while run_next_batch(MARKETING):
            pass
        assert sorted(asked) == [*people, number(7)]
    assert set(statuses(clinic).values()) == {"accepted"}


def test_without_the_pause_the_queue_is_offered_in_vain(
    clinic: Company, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counter-proof."""
    monkeypatch.setattr(trouble, "_pause", lambda *_: None)
    queue(clinic, [number(1)])
    queue(clinic, [number(2)])
    with provider(settings, refused("20003", 401)) as asked:
        while run_next_batch(MARKETING):
            pass
        assert len(asked) == 2


def test_one_far_country_is_not_the_end_of_a_sender(clinic: Company, settings: Any) -> None:
    """21606 is also said of a destination: not when others are reached, and not when a person looked at it before."""

    async def answer(to: str) -> web.StreamResponse:
        return await (refused("21606")(to) if to == number(1) else taken(to))

    queue(clinic, [number(1), number(2)])
    with provider(settings, answer):
        run_next_batch(MARKETING)
    assert statuses(clinic) == {number(1): "failed", number(2): "accepted"}
    assert states(clinic) == ("active", "active")


def test_who_takes_a_sender_up_again_is_believed(clinic: Company, settings: Any) -> None:
    queue(clinic, [number(1)])
    with provider(settings, refused("21606")):
        run_next_batch(MARKETING)
        assert states(clinic) == ("21606", "active")
        with tenant_scope(clinic.tenant.id):
            set_sender_status(sender=Sender.objects.get(), active=True)
        due_now(clinic)
        run_next_batch(MARKETING)
    assert statuses(clinic) == {number(1): "failed"}
    assert states(clinic) == ("active", "active")


def told(company: Company, to: str, code: str, stops: Stops) -> None:
    """A receipt that says "failed"."""
    with tenant_scope(company.tenant.id):
        attempt = Attempt.objects.get(message__number=to)
        store(
            company.account,
            attempt.id,
            StatusUpdate(attempt.provider_message_id, "failed", "failed", error_code=code, stops=stops),
        )
    apply_pending()


def test_a_receipt_pauses_too_but_old_news_does_not(clinic: Company, settings: Any) -> None:
    people = [number(1), number(2), number(3)]
    queue(clinic, people)
    with provider(settings, taken):
        run_next_batch(MARKETING)
    told(clinic, people[0], "30034", Stops.SENDER)
    assert states(clinic) == ("30034", "active")
    with tenant_scope(clinic.tenant.id):
        set_sender_status(sender=Sender.objects.get(), active=True)
    told(clinic, people[1], "30034", Stops.SENDER)
    assert states(clinic) == ("active", "active"), "the text went out before it was taken up again"
    told(clinic, people[2], "30002", Stops.ACCOUNT)
    assert states(clinic) == ("active", "30002")


def test_pausing_by_hand_needs_no_reason(clinic: Company) -> None:
    with tenant_scope(clinic.tenant.id):
        set_sender_status(sender=Sender.objects.get(), active=False)
    assert states(clinic) == ("paused", "active")


# --- Codes ----------------------------------------------------------------------------------------------------------


# Of other ways to sign in than an API key.
UNUSED_AT_TELNYX = {"20006", "40311", "40313"}


@pytest.mark.parametrize(
    ("kind", "errors", "unused"), [("twilio", TWILIO, set()), ("telnyx", TELNYX, UNUSED_AT_TELNYX)]
)
def test_each_code_that_pauses_has_its_words(kind: str, errors: Any, unused: set[str]) -> None:
    assert set(_STOPPED_BY[kind]) == {code for code in errors.entries if errors.classify(400, code).stops} - unused


def test_no_code_means_two_things() -> None:
    """A message's code is explained by whichever provider's table has it."""
    assert not set(TWILIO.entries) & set(TELNYX.entries)
    assert set(TABLES) | {"simulator"} == set(PROVIDERS) == set(_STOPPED_BY)


def test_a_code_is_explained_by_the_provider_that_gave_it() -> None:
    assert "Telnyx" in trouble_of("10009", "telnyx")
    assert trouble_of("10009", "twilio") == trouble_of("99999", "telnyx")
    assert trouble_of("not_compared", "telnyx") == trouble_of("not_compared", "twilio")


def test_only_what_stops_everything_pauses() -> None:
    for code, entry in TWILIO.entries.items():
        result = TWILIO.classify(400, code)
        assert bool(result.stops) is (entry["action"] in ("pause_sender", "pause_tenant_sender")), code
        assert bool(TWILIO.stopped_by(code)) is (bool(result.stops) and not result.perhaps_destination), (
            "of one text that was taken"
        )
        assert not TWILIO.classify(429, code).stops
        assert not TWILIO.classify(500, code).stops
        assert not (result.stops and result.outcome == "refused"), code


# --- Pages ----------------------------------------------------------------------------------------------------------


def test_the_page_says_why_and_what_to_do(client: Client, clinic: Company, committed_cast: Cast) -> None:
    sign_in(client, committed_cast.alice, clinic.tenant)
    with tenant_scope(clinic.tenant.id):
        Sender.objects.update(status="paused", trouble="30034")
        ProviderAccount.objects.update(status="paused", trouble="20003")
    page = text_of(client.get(reverse("senders")))
    assert "not registered for business texts" in page
    assert "refuses the account's key" in page
    home = text_of(client.get(reverse("home")))
    assert "The provider refuses to send" in home
    client.post(reverse("account_act", args=[clinic.account.id, "activate"]))
    client.post(reverse("sender_act", args=[clinic.sender.id, "activate"]))
    assert states(clinic) == ("active", "active")
    assert "refuses to send" not in text_of(client.get(reverse("home")))
    client.post(reverse("account_act", args=[clinic.account.id, "pause"]))
    assert states(clinic) == ("active", "paused")


@pytest.fixture
def at_twilio(clinic: Company) -> ProviderAccount:
    with tenant_scope(clinic.tenant.id):
        secrets = {"account_sid": f"AC{'1' * 32}", "auth_token": "old" * 10}
        return add_provider_account(kind="twilio", name="Twilio", credentials=secrets)


def test_another_token_is_entered(
    client: Client, clinic: Company, committed_cast: Cast, at_twilio: ProviderAccount
) -> None:
    sign_in(client, committed_cast.alice, clinic.tenant)
    with tenant_scope(clinic.tenant.id):
        ProviderAccount.objects.filter(id=at_twilio.id).update(status="paused", trouble="20003")
    address = reverse("account_token", args=[at_twilio.id])
    assert "New auth token" in text_of(client.get(address))
    assert client.post(address, {"auth_token": " "}).status_code == 422
    assert client.post(address, {"auth_token": "new" * 10}).status_code == 302
    with tenant_scope(clinic.tenant.id):
        account = ProviderAccount.objects.get(id=at_twilio.id)
        assert account.credentials == {
            "account_sid": f"AC{'1' * 32}",
            "auth_token": "new" * 10,
            "secondary_token": "old" * 10,
        }
        assert (account.status, account.trouble) == ("active", "")
        entries = json.dumps(list(AuditEntry.objects.values_list("action", "before", "after")))
        assert "account.secret_replaced" in entries
        assert "newnew" not in entries
        replace_secret(account=account, secret="new" * 10)
        assert ProviderAccount.objects.get(id=at_twilio.id).credentials["secondary_token"] == "old" * 10
    confirm(client, committed_cast.alice, seconds_ago=100_000)
    assert client.post(address, {"auth_token": "x" * 32}).status_code == 302
    with tenant_scope(clinic.tenant.id):
        assert ProviderAccount.objects.get(id=at_twilio.id).credentials["auth_token"] == "new" * 10


def test_an_account_without_a_token_gets_one(
    client: Client, clinic: Company, committed_cast: Cast, at_twilio: ProviderAccount
) -> None:
    with tenant_scope(clinic.tenant.id):
        at_twilio.credentials = {"account_sid": f"AC{'1' * 32}"}
        at_twilio.save()
    sign_in(client, committed_cast.alice, clinic.tenant)
    assert client.post(reverse("account_token", args=[at_twilio.id]), {"auth_token": "new" * 10}).status_code == 302
    with tenant_scope(clinic.tenant.id):
        assert ProviderAccount.objects.get(id=at_twilio.id).credentials["auth_token"] == "new" * 10


def test_a_simulated_account_has_no_token(client: Client, clinic: Company, committed_cast: Cast) -> None:
    sign_in(client, committed_cast.alice, clinic.tenant)
    assert client.get(reverse("account_token", args=[clinic.account.id])).status_code == 404
