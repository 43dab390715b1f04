"""The rules by which Twilio's callbacks are believed, and what was tried against its scheme.

Each probe begins with a callback that Twilio's own client has signed. Some change it in a way that the scheme does not
notice (``VALIDATES``): those are only worth trying while it does not, so the tests say that, too.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import pytest
from django.test import Client
from twilio.request_validator import RequestValidator

from messaging.models import DeliveryReceipt, InboundMessage, Message, ProviderAccount
from messaging.services import replace_secret
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.messaging.test_twilio_callbacks import BASE, OTHER_SID, TOKEN, inbound_form, status_form, twilio_account

FORM: Final = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _public_base(settings: Any) -> None:
    settings.PUBLIC_BASE_URL = BASE


@dataclass(frozen=True)
class Sent:
    """A callback on its way."""

    path: str
    body: str
    signature: str
    content_type: str = FORM
    headers: tuple[tuple[str, str], ...] = ()

    def post(self) -> int:
        headers = {"X-Twilio-Signature": self.signature, **dict(self.headers)}
        answer: Any = Client().post(self.path, self.body, content_type=self.content_type, headers=headers)
        return int(answer.status_code)

    def validates(self) -> bool:
        """Whether Twilio's own validator lets it through as a form."""
        form = dict(parse_qsl(self.body, keep_blank_values=True)) if self.content_type == FORM else {}
        return bool(RequestValidator(TOKEN).validate(BASE + self.path, form, self.signature))


def signed(account: ProviderAccount, form: dict[str, str], *, over: str = "", token: str = TOKEN) -> Sent:
    """As Twilio sends it; ``over``: the address that is signed, if another one."""
    path = f"/callbacks/twilio/{account.id}/inbound"
    return Sent(path, urlencode(form), RequestValidator(token).compute_signature(over or BASE + path, form))


def genuine(account: ProviderAccount, **changes: str) -> Sent:
    return signed(account, inbound_form(**changes))


def stored(company: Company) -> int:
    with tenant_scope(company.tenant.id):
        return InboundMessage.objects.count()


def with_form(sent: Sent, change: Callable[[dict[str, str]], dict[str, str]]) -> Sent:
    return replace(sent, body=urlencode(change(dict(parse_qsl(sent.body, keep_blank_values=True)))))


def without(form: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in form.items() if name not in names}


def _first_moved_into_the_address(sent: Sent) -> Sent:
    """The address ends where the first name begins, and nothing marks the place."""
    form = dict(parse_qsl(sent.body))
    first = min(form)
    return replace(sent, path=f"{sent.path}{first}{form[first]}", body=urlencode(without(form, first)))


def _json_without_a_hash(sent: Sent) -> Sent:
    nothing = RequestValidator(TOKEN).compute_signature(BASE + sent.path, {})
    return replace(sent, body=json.dumps({"Body": "STOP"}), content_type="application/json", signature=nothing)


def _json_with_a_hash(sent: Sent) -> Sent:
    """A hash of another body."""
    path = f"{sent.path}?bodySHA256={sha256(b'{}').hexdigest()}"
    made = RequestValidator(TOKEN).compute_signature(BASE + path, {})
    return replace(sent, path=path, body='{"Body": "STOP"}', content_type="application/json", signature=made)


def _by_another_algorithm(sent: Sent) -> Sent:
    form = dict(parse_qsl(sent.body))
    text = BASE + sent.path + "".join(name + form[name] for name in sorted(form))
    made = b64encode(hmac.new(TOKEN.encode(), text.encode(), sha256).digest()).decode()
    header = ("X-Twilio-Webhooks-Signature-Settings", "key=shared,algorithm=HMAC_SHA256")
    return replace(sent, signature=made, headers=(header,))


Change = Callable[[Sent], Sent]

VALIDATES: Final[dict[str, tuple[Change, int]]] = {
    "Body is cut anew into its name": (
        lambda sent: with_form(sent, lambda form: {**without(form, "Body"), "Bodyhell": "o"}),
        400,
    ),
    "Body and From run together": (
        lambda sent: with_form(
            sent, lambda form: {**without(form, "Body", "From"), f"Body{form['Body']}From": form["From"]}
        ),
        400,
    ),
    "the first parameter moves into the address": (_first_moved_into_the_address, 404),
    "a JSON body that nothing covers": (_json_without_a_hash, 415),
    "the last parameter is swallowed by its neighbour": (
        lambda sent: with_form(sent, lambda form: {**without(form, "To"), "NumMedia": f"0To{form['To']}"}),
        400,
    ),
}
"""What the validator lets through, and our answer."""

REFUSED: Final[dict[str, tuple[Change, int]]] = {
    "a parameter comes twice": (lambda sent: replace(sent, body=f"{sent.body}&Body=hello"), 400),
    "a parameter comes twice, the other way round": (lambda sent: replace(sent, body=f"Body=STOP&{sent.body}"), 400),
    "a JSON body with the hash of another": (_json_with_a_hash, 415),
    "a value is changed": (lambda sent: with_form(sent, lambda form: {**form, "Body": "STOP"}), 403),
    "a value loses its blanks": (
        lambda sent: with_form(sent, lambda form: {**form, "Body": form["Body"].strip()}),
        403,
    ),
    "a parameter is added": (lambda sent: with_form(sent, lambda form: {**form, "OptOutType": "STOP"}), 403),
    "a parameter is missing": (lambda sent: with_form(sent, lambda form: without(form, "NumMedia")), 403),
    "a name is written otherwise": (
        lambda sent: with_form(sent, lambda form: {**without(form, "NumMedia"), "nummedia": "0"}),
        403,
    ),
    "a query is added": (lambda sent: replace(sent, path=f"{sent.path}?a=1"), 403),
    "the signature in small letters": (lambda sent: replace(sent, signature=sent.signature.lower()), 403),
    "the signature without its end": (lambda sent: replace(sent, signature=sent.signature.rstrip("=")), 403),
    "no signature": (lambda sent: replace(sent, signature=""), 403),
    "another algorithm, which the header names": (_by_another_algorithm, 403),
    "another key type, which the header names": (
        lambda sent: replace(
            sent, signature="x", headers=(("X-Twilio-Webhooks-Signature-Settings", "key=,algorithm=NONE"),)
        ),
        403,
    ),
}

SIGNED_OVER: Final = {
    "another scheme": "http://sms.example.com{path}",
    "another host": "https://sms.example.org{path}",
    "a host in capitals": "https://SMS.example.com{path}",
    "another path": "https://sms.example.com/callbacks/twilio/x/inbound",
    "a fragment": "https://sms.example.com{path}#rc=2",
    "a port that is not the usual one": "https://sms.example.com:8443{path}",
    "a name and a password": "https://user:secret@sms.example.com{path}",
}
"""Addresses that are not ours as it was called."""


@pytest.mark.parametrize("name", VALIDATES)
def test_what_the_scheme_does_not_notice_is_refused(cast: Cast, name: str) -> None:
    change, status = VALIDATES[name]
    account = twilio_account(cast.clinic)
    probe = change(genuine(account, Body="hello"))
    assert probe.validates(), "the probe is only worth trying while the scheme has this hole"
    assert probe.post() == status
    assert stored(cast.clinic) == 0


@pytest.mark.parametrize("name", REFUSED)
def test_what_was_changed_is_refused(cast: Cast, name: str) -> None:
    change, status = REFUSED[name]
    assert change(genuine(twilio_account(cast.clinic), Body=" hello ")).post() == status
    assert stored(cast.clinic) == 0


@pytest.mark.parametrize("name", SIGNED_OVER)
def test_a_signature_over_another_address_is_refused(cast: Cast, name: str) -> None:
    account = twilio_account(cast.clinic)
    over = SIGNED_OVER[name].format(path=f"/callbacks/twilio/{account.id}/inbound")
    assert signed(account, inbound_form(), over=over).post() == 403
    assert stored(cast.clinic) == 0


def test_the_probes_are_as_many_as_were_tried() -> None:
    """Twenty-three in the reference; replays and the empty token have tests of their own below."""
    assert len(VALIDATES) + len(REFUSED) + len(SIGNED_OVER) >= 23


def test_rule_1_the_key_is_the_one_of_the_address_and_never_empty(cast: Cast) -> None:
    ours = twilio_account(cast.clinic)
    twilio_account(cast.shop, sid=OTHER_SID, token="9" * 32)
    assert signed(ours, inbound_form(AccountSid=OTHER_SID), token="9" * 32).post() == 403
    with tenant_scope(cast.clinic.tenant.id):
        ours.credentials = {**ours.credentials, "auth_token": ""}
        ours.save()
    assert signed(ours, inbound_form(), token="").post() == 403
    assert stored(cast.clinic) == stored(cast.shop) == 0


def test_rule_2_forwarded_headers_name_no_address(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    forged = (("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Path", "/x"))
    over = f"http://evil.example/callbacks/twilio/{account.id}/inbound"
    assert replace(signed(account, inbound_form(), over=over), headers=forged).post() in (400, 403)
    assert replace(genuine(account), headers=forged[2:]).post() == 204


def test_rule_2_the_usual_port_may_be_named(cast: Cast) -> None:
    """Twilio signs over either address."""
    account = twilio_account(cast.clinic)
    over = f"https://sms.example.com:443/callbacks/twilio/{account.id}/inbound"
    assert signed(account, inbound_form(), over=over).post() == 204


def test_rule_3_what_is_not_known_is_covered_and_kept(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    assert genuine(account, NewParameter="", ÄnotherÖne="1").post() == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert InboundMessage.objects.get().payload["NewParameter"] == ""


@pytest.mark.parametrize("name", ["AccountSid", "MessageSid", "From", "To", "Body"])
def test_rule_3_the_expected_parameters_are_all_there(cast: Cast, name: str) -> None:
    assert signed(twilio_account(cast.clinic), without(inbound_form(), name)).post() == 400


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_rule_4_only_forms_are_read(cast: Cast, content_type: str) -> None:
    sent = genuine(twilio_account(cast.clinic))
    assert replace(sent, content_type=content_type or "text/html").post() == 415


def test_rule_5_the_account_is_the_tenants(cast: Cast) -> None:
    assert signed(twilio_account(cast.clinic), inbound_form(AccountSid=OTHER_SID)).post() == 403


def test_rule_6_a_replay_changes_nothing(cast: Cast) -> None:
    sent = genuine(twilio_account(cast.clinic), Body="STOP")
    assert [sent.post() for _ in range(20)] == [204] * 20
    with tenant_scope(cast.clinic.tenant.id):
        assert InboundMessage.objects.count() == 1
        assert Message.objects.filter(batch__exemption="opt_out_confirmation").count() == 1


def test_rule_7_blanks_are_part_of_what_is_signed(cast: Cast) -> None:
    assert genuine(twilio_account(cast.clinic), Body=" \t hello \n").post() == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert InboundMessage.objects.get().body == " \t hello \n"


def test_rule_8_both_secrets_count_while_one_replaces_the_other(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    with tenant_scope(cast.clinic.tenant.id):
        replace_secret(account=account, secret="f" * 32)
    answers = [signed(account, inbound_form(), token=token).post() for token in (TOKEN, "f" * 32, "e" * 32)]
    assert answers == [204, 204, 403]


def test_rule_9_the_header_chooses_no_algorithm(cast: Cast) -> None:
    """A genuine signature stays one, whatever the header says; see the probes for the opposite."""
    header = ("X-Twilio-Webhooks-Signature-Settings", "key=shared,algorithm=HMAC_SHA256")
    assert replace(genuine(twilio_account(cast.clinic)), headers=(header,)).post() == 204


def test_rule_10_the_attempt_is_named_in_the_signed_address(cast: Cast) -> None:
    account = twilio_account(cast.clinic)
    path = f"/callbacks/twilio/{account.id}/status?a="
    ours, others = uuid4(), uuid4()
    form = status_form()
    made = RequestValidator(TOKEN).compute_signature(f"{BASE}{path}{ours}", form)
    assert Sent(f"{path}{others}", urlencode(form), made).post() == 403
    assert Sent(f"{path}{ours}", urlencode(form), made).post() == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert DeliveryReceipt.objects.get().attempt_id == ours
