"""Twilio's callbacks: genuine ones are taken, everything else is refused and changes nothing."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from twilio.request_validator import RequestValidator

from consent.services import is_suppressed
from messaging.models import DeliveryReceipt, InboundMessage, Message, ProviderAccount, Sender
from messaging.providers.base import CallbackRefused, CallbackRequest
from messaging.providers.twilio.callbacks import read_inbound
from messaging.services import add_provider_account, add_sender
from tenants.scope import tenant_scope
from tests.cast import Cast, Company

VECTORS = json.loads(Path(__file__).with_name("data").joinpath("twilio_signature_vectors.json").read_text())["vectors"]
TOKEN = "0123456789abcdef0123456789abcdef"
SID = "AC" + "a" * 32
OTHER_SID = "AC" + "b" * 32
NUMBER = "+12025550110"
BASE = "https://sms.example.com"


@pytest.fixture(autouse=True)
def _public_base(settings: Any) -> None:
    settings.PUBLIC_BASE_URL = BASE


def twilio_account(
    company: Company, *, sid: str = SID, token: str = TOKEN, number: str = "+12025550180"
) -> ProviderAccount:
    with tenant_scope(company.tenant.id):
        account = add_provider_account(
            kind="twilio", name="Twilio", credentials={"account_sid": sid, "auth_token": token}
        )
        add_sender(tenant=company.tenant, account=account, value=number, kind="long_code")
        return account


def inbound_form(**changes: str) -> dict[str, str]:
    form = {
        "AccountSid": SID,
        "MessageSid": "SM" + uuid4().hex,
        "From": NUMBER,
        "To": "+12025550180",
        "Body": "Hello",
        "NumMedia": "0",
    }
    return {**form, **changes}


def post(
    account: ProviderAccount,
    form: dict[str, str],
    *,
    kind: str = "inbound",
    query: str = "",
    token: str = TOKEN,
    body: str | None = None,
    content_type: str = "application/x-www-form-urlencoded",
    signature: str | None = None,
) -> HttpResponse:
    path = f"/callbacks/twilio/{account.id}/{kind}{query}"
    made = RequestValidator(token).compute_signature(BASE + path, form)
    headers = {"X-Twilio-Signature": made if signature is None else signature}
    data = urlencode(form) if body is None else body
    answer: Any = Client().post(path, data=data, content_type=content_type, headers=headers)
    return answer  # type: ignore[no-any-return]


def received(company: Company) -> int:
    with tenant_scope(company.tenant.id):
        return InboundMessage.objects.count()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_signature_vectors(vector: dict[str, Any]) -> None:
    """Messaging callbacks are forms signed with the account's token; Twilio's other two schemes are refused here."""
    form = vector["form_params"] or {}
    json_body = vector["json_body"]
    callback = CallbackRequest(
        url=vector["url_seen_by_app"],
        headers={
            "X-Twilio-Signature": vector["signature"],
            "X-Twilio-Webhooks-Signature-Settings": vector["signature_settings_header"] or "",
        },
        content_type="application/x-www-form-urlencoded" if json_body is None else "application/json",
        body=urlencode(form).encode() if json_body is None else json.dumps(json_body).encode(),
    )
    ours = json_body is None and not vector["signature_settings_header"]
    required = {"AccountSid", "MessageSid", "From", "To", "Body"}
    takes = {"account_sid": form.get("AccountSid", ""), "secrets": [vector["auth_token"]]}
    if ours and vector["expected_valid"] and required <= set(form):
        assert read_inbound(callback, **takes).body == form["Body"]
    else:
        with pytest.raises(CallbackRefused):
            read_inbound(callback, **takes)


def test_a_genuine_text_is_taken(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    form = inbound_form(Body="  Is it open?  ")
    assert post(account, form).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        inbound = InboundMessage.objects.get()
        assert (inbound.number, inbound.body, inbound.intent) == (NUMBER, "  Is it open?  ", "other")
        assert inbound.payload["MessageSid"] == form["MessageSid"]


def test_the_same_text_again_changes_nothing(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    form = inbound_form(Body="STOP")
    for _ in range(5):
        assert post(account, form).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert InboundMessage.objects.count() == 1
        assert Message.objects.filter(batch__exemption="opt_out_confirmation").count() == 1


def test_both_secrets_are_accepted_while_a_token_is_rotated(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    with tenant_scope(cast.clinic.tenant.id):
        account.credentials = {"account_sid": SID, "auth_token": "f" * 32, "secondary_token": TOKEN}
        account.save()
    assert post(account, inbound_form()).status_code == 204
    assert post(account, inbound_form(), token="f" * 32).status_code == 204
    assert post(account, inbound_form(), token="e" * 32).status_code == 403


BAD: list[tuple[str, dict[str, Any], int]] = [
    ("no signature", {"signature": ""}, 403),
    ("another token", {"token": "1" * 32}, 403),
    ("the empty token", {"token": ""}, 403),
    ("JSON on a form address", {"content_type": "application/json", "body": "{}"}, 415),
    ("multipart on a form address", {"content_type": "multipart/form-data; boundary=x", "body": "--x--"}, 415),
    ("another type of message", {"kind": "status"}, 400),
    ("a huge body", {"body": "Body=" + "A" * 2_000_000}, 413),
    ("no parameters", {"body": "x="}, 400),
    ("a malformed body", {"body": "Body"}, 400),
]


@pytest.mark.parametrize(("name", "options", "status"), BAD, ids=[case[0] for case in BAD])
def test_what_is_not_genuine_is_refused(cast: Cast, name: str, options: dict[str, Any], status: int) -> None:
    account = twilio_account(cast.clinic)
    assert post(account, inbound_form(), **options).status_code == status
    assert received(cast.clinic) == 0


def test_parameters_recut_under_the_same_signature_are_refused(cast: Cast) -> None:
    """The scheme joins names and values without separators, so this validates; the required set refuses it."""
    account = twilio_account(cast.clinic)
    form = inbound_form()
    signature = RequestValidator(TOKEN).compute_signature(f"{BASE}/callbacks/twilio/{account.id}/inbound", form)
    merged = {key: value for key, value in form.items() if key not in ("Body", "From")}
    merged["Body" + form["Body"] + "From"] = form["From"]
    recut = RequestValidator(TOKEN).compute_signature(f"{BASE}/callbacks/twilio/{account.id}/inbound", merged)
    assert recut == signature, "the case is only worth testing while the scheme has this hole"
    assert post(account, merged, signature=signature).status_code == 400
    assert received(cast.clinic) == 0


def test_an_old_request_cut_anew_is_not_another_text(cast: Cast) -> None:
    """An old START must not come back after a STOP as a text of its own."""
    account = twilio_account(cast.clinic)
    form = inbound_form(Body="START")
    signature = RequestValidator(TOKEN).compute_signature(f"{BASE}/callbacks/twilio/{account.id}/inbound", form)
    cut = {key: value for key, value in form.items() if key != "NumMedia"}
    cut["MessageSid"] += "NumMedia" + form["NumMedia"]
    assert RequestValidator(TOKEN).compute_signature(f"{BASE}/callbacks/twilio/{account.id}/inbound", cut) == signature
    assert post(account, cut, signature=signature).status_code == 400
    assert received(cast.clinic) == 0


@pytest.mark.parametrize("name", ["From", "To", "Body", "NumSegments", "x\x00"])
def test_nul_characters_lose_no_stop(cast: Cast, name: str) -> None:
    account = twilio_account(cast.clinic)
    form = inbound_form(Body="STOP")
    form[name] = form.get(name, "1") + "\x00"
    assert post(account, form).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number="+12025550110")


def test_repeated_parameters_are_refused(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    form = inbound_form()
    assert post(account, form, body=urlencode(form) + "&Body=STOP").status_code == 400


def test_another_account_of_the_same_token_is_refused(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    assert post(account, inbound_form(AccountSid=OTHER_SID)).status_code == 403


def test_another_tenants_token_cannot_speak_for_this_one(cast: Cast) -> None:
    ours = twilio_account(cast.clinic)
    twilio_account(cast.shop, sid=OTHER_SID, token="9" * 32)
    assert post(ours, inbound_form(), token="9" * 32).status_code == 403
    assert received(cast.clinic) == received(cast.shop) == 0


def test_a_stop_to_a_number_that_nobody_set_up_holds(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    form = inbound_form(To="+12025550199", Body="STOP")
    assert post(account, form).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=form["From"])
        assert Sender.objects.get(value="+12025550199").status == "paused"


@pytest.mark.parametrize("name", ["whatsapp:+12025550199", "Clinic", "+1", "12345678901", ""])
def test_what_can_be_no_sender_is_refused(cast: Cast, name: str) -> None:
    account = twilio_account(cast.clinic)
    assert post(account, inbound_form(To=name)).status_code in (400, 404)
    assert received(cast.clinic) == 0


def test_unknown_accounts_and_kinds_are_not_found(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    account_of_other_kind = cast.clinic.account
    assert post(account_of_other_kind, inbound_form()).status_code == 404
    account.id = uuid4()
    assert post(account, inbound_form()).status_code == 404


def test_a_get_is_not_allowed(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    assert Client().get(f"/callbacks/twilio/{account.id}/inbound").status_code == 405


def status_form(**changes: str) -> dict[str, str]:
    form = {
        "AccountSid": SID,
        "MessageSid": "SM" + "1" * 32,
        "MessageStatus": "delivered",
        "From": "+12025550180",
        "To": NUMBER,
    }
    return {**form, **changes}


def test_unknown_statuses_and_parameters_are_kept(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    form = status_form(MessageStatus="teleported", NewParam="1")
    assert post(account, form, kind="status", query=f"?a={uuid4()}").status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        receipt = DeliveryReceipt.objects.get()
        assert (receipt.provider_status, receipt.status, receipt.payload["NewParam"]) == ("teleported", "", "1")


def test_the_attempt_in_the_address_is_covered_by_the_signature(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    form = status_form()
    path = f"/callbacks/twilio/{account.id}/status"
    signature = RequestValidator(TOKEN).compute_signature(f"{BASE}{path}?a={uuid4()}", form)
    assert post(account, form, kind="status", query=f"?a={uuid4()}", signature=signature).status_code == 403


def test_the_same_receipt_again_is_stored_once(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    for _ in range(3):
        assert post(account, status_form(), kind="status", query=f"?a={uuid4()}").status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert DeliveryReceipt.objects.count() == 1


def test_twilio_has_answered_already(cast: Cast) -> None:
    """With advanced opt-out Twilio answers the keyword; the opt-out still holds, but there is no second answer."""
    account = twilio_account(cast.clinic)
    assert post(account, inbound_form(Body="STOP", OptOutType="STOP")).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        from consent.services import is_suppressed

        assert is_suppressed(number=NUMBER)
        assert not Message.objects.exists()
