"""Telnyx's callbacks: genuine ones are taken, everything else is refused and changes nothing."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from consent.services import is_suppressed
from messaging.models import DeliveryReceipt, InboundMessage, Message, ProviderAccount
from messaging.providers.telnyx import events
from messaging.services import add_provider_account, add_sender
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.telnyx_server import PROFILE, TelnyxServer, event

NUMBER, SENDER = "+12025550110", "+12025550180"
BASE = "https://sms.example.com"


@pytest.fixture(autouse=True)
def _public_base(settings: Any) -> None:
    settings.PUBLIC_BASE_URL = BASE


@pytest.fixture
def telnyx() -> TelnyxServer:
    return TelnyxServer()


def telnyx_account(
    company: Company, telnyx: TelnyxServer, *, profile: str = PROFILE, name: str = "T"
) -> ProviderAccount:
    secrets = {"api_key": "KEY1", "public_key": telnyx.public_key, "messaging_profile_id": profile}
    with tenant_scope(company.tenant.id):
        account = add_provider_account(kind="telnyx", name=name, credentials=secrets)
        add_sender(tenant=company.tenant, account=account, value=SENDER, kind="long_code")
        return account


def url_of(account: ProviderAccount, what: str = "inbound", query: str = "") -> str:
    return f"{BASE}/callbacks/telnyx/{account.id}/{what}{query}"


def text(url: str, **changes: Any) -> dict[str, Any]:
    message = {
        "id": str(uuid4()),
        "direction": "inbound",
        "from": {"phone_number": NUMBER, "carrier": "T-Mobile USA", "line_type": "Wireless"},
        "to": [{"phone_number": SENDER, "status": "webhook_delivered"}],
        "text": "Hello",
        "autoresponse_type": None,
        "media": [],
    }
    return event("message.received", url, **{**message, **changes})


def news(url: str, **changes: Any) -> dict[str, Any]:
    message = {
        "id": str(uuid4()),
        "direction": "outbound",
        "from": {"phone_number": SENDER},
        "to": [{"phone_number": NUMBER, "status": "delivered"}],
    }
    return event("message.finalized", url, **{**message, **changes})


def post(url: str, body: bytes, headers: dict[str, str], content_type: str = "application/json") -> HttpResponse:
    answer: Any = Client().post(url.removeprefix(BASE), data=body, content_type=content_type, headers=headers)
    return answer  # type: ignore[no-any-return]


def received(company: Company) -> int:
    with tenant_scope(company.tenant.id):
        return InboundMessage.objects.count()


# --- Genuine ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [PROFILE, ""])
def test_a_genuine_text_is_taken(cast: Cast, telnyx: TelnyxServer, profile: str) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx, profile=profile))
    told = text(url, text="  Is it open? 🌷 ")
    assert telnyx.call(url, told).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        inbound = InboundMessage.objects.get()
        assert (inbound.number, inbound.sender.value, inbound.intent) == (NUMBER, SENDER, "other")
        assert inbound.body == "  Is it open? 🌷 "
        assert inbound.provider_message_id == told["data"]["payload"]["id"]
        assert json.loads(inbound.payload["payload"]) == told["data"]["payload"]


def test_the_same_text_again_changes_nothing(cast: Cast, telnyx: TelnyxServer) -> None:
    """Telnyx calls again when it waited two seconds for the answer."""
    url = url_of(telnyx_account(cast.clinic, telnyx))
    told = text(url, text="STOP")
    for _ in range(3):
        assert telnyx.call(url, told).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert InboundMessage.objects.count() == 1
        assert is_suppressed(number=NUMBER)
        assert Message.objects.filter(batch__exemption="opt_out_confirmation").count() == 1


def test_telnyx_has_acted_on_the_keyword_already(cast: Cast, telnyx: TelnyxServer) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx))
    assert telnyx.call(url, text(url, text="STOP", autoresponse_type="STOP")).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=NUMBER)
        assert not Message.objects.exists()


@pytest.mark.parametrize("body", ["STOP\x00", "\ud83dSTOP", "STOP\udf37"], ids=ascii)
def test_what_nobody_can_store_loses_no_text(cast: Cast, telnyx: TelnyxServer, body: str) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx))
    assert telnyx.call(url, text(url, text=body)).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert "STOP" in InboundMessage.objects.get().body


def test_a_text_whose_event_names_no_address_is_taken(cast: Cast, telnyx: TelnyxServer) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx))
    told = text(url, text="STOP", webhook_url=None)
    del told["meta"]
    assert telnyx.call(url, told).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=NUMBER)


STATUSES = [
    ("queued", "accepted"),
    ("sending", "accepted"),
    ("sent", "sent"),
    ("delivery_unconfirmed", "sent"),
    ("delivered", "delivered"),
    ("delivery_failed", "undelivered"),
    ("expired", "undelivered"),
    ("sending_failed", "failed"),
    ("teleported", ""),
]


@pytest.mark.parametrize(("word", "status"), STATUSES)
def test_each_status(cast: Cast, telnyx: TelnyxServer, word: str, status: str) -> None:
    attempt_id = uuid4()
    url = url_of(telnyx_account(cast.clinic, telnyx), "status", f"?a={attempt_id}")
    told = news(url, to=[{"phone_number": NUMBER, "status": word}])
    for _ in range(2):
        assert telnyx.call(url, told).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        receipt = DeliveryReceipt.objects.get()
        assert (receipt.provider_status, receipt.status, receipt.attempt_id) == (word, status, attempt_id)
        assert receipt.provider_message_id == told["data"]["payload"]["id"]


@pytest.mark.parametrize(
    ("code", "title", "opted_out", "stops"),
    [
        ("40300", "Blocked due to STOP message", True, ""),
        ("40300", "Unreachable", False, ""),
        ("40003", "Blocked as spam - permanent", False, "sender"),
        ("40008", "Undeliverable", False, ""),
        ("99999", "STOP", False, ""),
    ],
)
def test_each_error(cast: Cast, telnyx: TelnyxServer, code: str, title: str, *, opted_out: bool, stops: str) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx), "status", f"?a={uuid4()}")
    to = [{"phone_number": NUMBER, "status": "delivery_failed"}]
    assert telnyx.call(url, news(url, to=to, errors=[{"code": code, "title": title}])).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        receipt = DeliveryReceipt.objects.get()
        assert (receipt.error_code, receipt.number_opted_out, receipt.stops) == (code, opted_out, stops)


# --- Forged -----------------------------------------------------------------------------------------------------------

OTHER = TelnyxServer()


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key != name}


FORGED: list[tuple[str, Any]] = [
    ("another key", lambda telnyx, body: (body, OTHER.headers(body))),
    ("a changed body", lambda telnyx, body: (body.replace(b"Hello", b"START"), telnyx.headers(body))),
    ("a body written anew", lambda telnyx, body: (body.replace(b'": ', b'":'), telnyx.headers(body))),
    (
        "a changed timestamp",
        lambda telnyx, body: (
            body,
            {**telnyx.headers(body, seconds_ago=10), "telnyx-timestamp": telnyx.headers(body)["telnyx-timestamp"]},
        ),
    ),
    ("an old one", lambda telnyx, body: (body, telnyx.headers(body, seconds_ago=events.REPLAY_SECONDS + 5))),
    ("one of the future", lambda telnyx, body: (body, telnyx.headers(body, seconds_ago=-events.REPLAY_SECONDS - 5))),
    ("no signature", lambda telnyx, body: (body, without(telnyx.headers(body), "telnyx-signature-ed25519"))),
    ("no timestamp", lambda telnyx, body: (body, without(telnyx.headers(body), "telnyx-timestamp"))),
    ("no headers", lambda telnyx, body: (body, {})),
    ("no base64", lambda telnyx, body: (body, {**telnyx.headers(body), "telnyx-signature-ed25519": "!" * 88})),
    ("a short signature", lambda telnyx, body: (body, {**telnyx.headers(body), "telnyx-signature-ed25519": "AAAA"})),
    ("a timestamp that is none", lambda telnyx, body: (body, {**telnyx.headers(body), "telnyx-timestamp": "now"})),
    ("a timestamp below zero", lambda telnyx, body: (body, {**telnyx.headers(body), "telnyx-timestamp": "-1"})),
    ("an endless timestamp", lambda telnyx, body: (body, {**telnyx.headers(body), "telnyx-timestamp": "9" * 5000})),
]


@pytest.mark.parametrize(("name", "forge"), FORGED, ids=[case[0] for case in FORGED])
def test_what_is_not_genuine_is_refused(cast: Cast, telnyx: TelnyxServer, name: str, forge: Any) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx))
    body, headers = forge(telnyx, json.dumps(text(url)).encode())
    assert post(url, body, headers).status_code == 403
    assert received(cast.clinic) == 0


@pytest.mark.parametrize("name", ["an old one", "one of the future"])
def test_without_the_window_they_would_be_taken(
    cast: Cast, telnyx: TelnyxServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The counter-proof: their signatures are good."""
    monkeypatch.setattr(events, "REPLAY_SECONDS", 100_000)
    url = url_of(telnyx_account(cast.clinic, telnyx))
    seconds_ago = 305 if name == "an old one" else -305
    body = json.dumps(text(url)).encode()
    assert post(url, body, telnyx.headers(body, seconds_ago=seconds_ago)).status_code == 204


def test_another_accounts_key_cannot_speak_for_this_one(cast: Cast, telnyx: TelnyxServer) -> None:
    ours = url_of(telnyx_account(cast.clinic, telnyx))
    theirs = TelnyxServer()
    telnyx_account(cast.shop, theirs)
    assert theirs.call(ours, text(ours)).status_code == 403
    assert received(cast.clinic) == received(cast.shop) == 0


def test_a_genuine_callback_sent_elsewhere_is_refused(cast: Cast, telnyx: TelnyxServer) -> None:
    """Two accounts of one owner at Telnyx have one key; the address is not signed, but named in the body."""
    first = url_of(telnyx_account(cast.clinic, telnyx))
    second = url_of(telnyx_account(cast.shop, telnyx))
    assert telnyx.call(second, text(first)).status_code == 403
    assert received(cast.shop) == 0
    assert telnyx.call(first, text(first)).status_code == 204


def test_the_attempt_in_the_address_is_covered_by_the_signature(cast: Cast, telnyx: TelnyxServer) -> None:
    account = telnyx_account(cast.clinic, telnyx)
    theirs, ours = (url_of(account, "status", f"?a={uuid4()}") for _ in range(2))
    nowhere = news(theirs, webhook_url=None)
    del nowhere["meta"]
    assert telnyx.call(ours, news(theirs)).status_code == 403
    assert telnyx.call(theirs, nowhere).status_code == 403
    with tenant_scope(cast.clinic.tenant.id):
        assert not DeliveryReceipt.objects.exists()
    assert telnyx.call(theirs, news(theirs)).status_code == 204


def test_another_messaging_profile_is_refused(cast: Cast, telnyx: TelnyxServer) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx))
    for profile in (str(uuid4()), None, ""):
        assert telnyx.call(url, text(url, messaging_profile_id=profile)).status_code == 403
    assert received(cast.clinic) == 0


# --- Genuine, but not understood --------------------------------------------------------------------------------------

BAD: list[tuple[str, dict[str, Any]]] = [
    ("no id", {"id": None}),
    ("an id that is none", {"id": "1"}),
    ("an id with more behind it", {"id": f"{uuid4()}x"}),
    ("news where texts come in", {"direction": "outbound"}),
    ("no sender", {"to": []}),
    ("no sender at all", {"to": None}),
    ("nobody", {"from": {}}),
    ("what can be no sender", {"to": [{"phone_number": "Clinic"}]}),
]


@pytest.mark.parametrize(("name", "changes"), BAD, ids=[case[0] for case in BAD])
def test_a_text_that_is_none(cast: Cast, telnyx: TelnyxServer, name: str, changes: dict[str, Any]) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx))
    assert telnyx.call(url, text(url, **changes)).status_code in (400, 404)
    assert received(cast.clinic) == 0


MALFORMED: list[tuple[str, bytes, int]] = [
    ("nothing", b" ", 400),
    ("no JSON", b"{", 400),
    ("not UTF-8", b'"\xff"', 400),
    ("a list", b"[]", 400),
    ("no data", b'{"data": null}', 400),
    ("no payload", b'{"data": {"payload": "x"}}', 400),
    ("a name twice", b'{"data": {}, "data": {}}', 400),
    ("no number", b'{"data": NaN}', 400),
    ("endless nesting", b"[" * 60_000, 400),
    ("too large", b'"' + b"x" * 70_000 + b'"', 413),
]


@pytest.mark.parametrize(("name", "body", "status"), MALFORMED, ids=[case[0] for case in MALFORMED])
def test_malformed_bodies(cast: Cast, telnyx: TelnyxServer, name: str, body: bytes, status: int) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx))
    assert post(url, body, telnyx.headers(body)).status_code == status


def test_names_within_the_message_count_once_too(cast: Cast, telnyx: TelnyxServer) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx))
    body = json.dumps(text(url)).replace('"text": "Hello"', '"text": "Hello", "text": "STOP"').encode()
    assert body.count(b'"text"') == 2
    assert post(url, body, telnyx.headers(body)).status_code == 400


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_other_types_of_content(cast: Cast, telnyx: TelnyxServer, content_type: str) -> None:
    url = url_of(telnyx_account(cast.clinic, telnyx))
    body = json.dumps(text(url)).encode()
    assert post(url, body, telnyx.headers(body), content_type or "x/y").status_code == 415


def test_events_at_the_wrong_address(cast: Cast, telnyx: TelnyxServer) -> None:
    account = telnyx_account(cast.clinic, telnyx)
    inbound, status = url_of(account), url_of(account, "status")
    assert telnyx.call(inbound, news(inbound)).status_code == 400
    assert telnyx.call(status, text(status)).status_code == 400
    assert telnyx.call(status, news(status, to=[{"phone_number": NUMBER}])).status_code == 400
    with tenant_scope(cast.clinic.tenant.id):
        assert not DeliveryReceipt.objects.exists()


def test_an_account_of_another_kind_is_not_found(cast: Cast, telnyx: TelnyxServer) -> None:
    url = f"{BASE}/callbacks/telnyx/{cast.clinic.account.id}/inbound"
    assert telnyx.call(url, text(url)).status_code == 404
