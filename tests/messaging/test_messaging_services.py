"""Messaging services: Twilio chooses the number of each text, and its callbacks tell which it was."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from consent.services import is_suppressed
from messaging.models import InboundMessage, Message, ProviderAccount, Sender, ServiceNumber
from messaging.pipeline import event_loop
from messaging.pipeline.handover import provider_for
from messaging.pipeline.matching import Doubt, match
from messaging.providers.base import KnownText, StatusUpdate
from messaging.providers.registry import make_provider
from messaging.services import add_provider_account, add_sender
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.messaging.test_provider_contract import REQUEST, TWILIO, Wire, at, listening, says
from tests.messaging.test_twilio_callbacks import BASE, NUMBER, SID, TOKEN, inbound_form, post, status_form
from tests.twilio_server import twilio_server
from tests.web import sign_in, text_of

SERVICE = "MG" + "d" * 32
CHOSEN = "+12025550188"


@pytest.fixture(autouse=True)
def _public_base(settings: Any) -> None:
    settings.PUBLIC_BASE_URL = BASE


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    sign_in(client, cast.alice, cast.clinic.tenant)
    return client


def with_service(cast: Cast) -> ProviderAccount:
    """The clinic has a Twilio account with a messaging service, as its owner sets it up."""
    with tenant_scope(cast.clinic.tenant.id):
        account = add_provider_account(
            kind="twilio", name="Twilio", credentials={"account_sid": SID, "auth_token": TOKEN}
        )
        add_sender(tenant=cast.clinic.tenant, account=account, value=SERVICE, kind="service")
        return account


def test_a_service_is_asked_instead_of_a_number() -> None:
    wire = Wire(says("twilio", 201), [])

    async def go() -> None:
        async with listening(wire) as address:
            provider = make_provider("twilio", TWILIO, at(address), 8)
            await provider.send(replace(REQUEST, sender=SERVICE))
            await provider.close()

    asyncio.run(go())
    ((_, body, _),) = wire.asked
    form = parse_qs(body.decode())
    assert form["MessagingServiceSid"] == [SERVICE]
    assert "From" not in form


@pytest.mark.parametrize(
    ("value", "account", "problem"),
    [
        ("MG123", "twilio", "A messaging service's SID is MG and 32 digits or letters a to f."),
        ("+12025550180", "twilio", "A messaging service's SID is MG and 32 digits or letters a to f."),
        (SERVICE, "simulator", "Only accounts at Twilio have messaging services."),
    ],
)
def test_what_is_no_service_is_refused(alice: Client, cast: Cast, value: str, account: str, problem: str) -> None:
    at_twilio = with_service(cast)
    chosen = at_twilio if account == "twilio" else cast.clinic.account
    typed = {"account": str(chosen.id), "value": value, "kind": "service"}
    page = alice.post(reverse("sender_add"), typed)
    assert page.status_code == 422
    assert problem in text_of(page)


def test_a_receipt_tells_which_number_was_used(alice: Client, cast: Cast) -> None:
    account = with_service(cast)
    form = status_form(MessagingServiceSid=SERVICE, From=CHOSEN, MessageStatus="sent")
    for status in ("sent", "delivered"):
        told = {**form, "MessageStatus": status}
        assert post(account, told, kind="status", query=f"?a={uuid4()}").status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert [str(number) for number in ServiceNumber.objects.all()] == [CHOSEN]
    page = text_of(alice.get(reverse("senders")))
    assert "(202) 555-0188" in page


def test_a_service_may_fail_before_it_has_chosen_a_number(cast: Cast) -> None:
    account = with_service(cast)
    form = status_form(MessagingServiceSid=SERVICE, MessageStatus="failed", ErrorCode="21704")
    del form["From"]
    assert post(account, form, kind="status", query=f"?a={uuid4()}").status_code == 204
    alone = status_form()
    del alone["From"]
    assert post(account, alone, kind="status", query=f"?a={uuid4()}").status_code == 400


def test_a_text_to_its_number_is_answered_by_the_service(cast: Cast) -> None:
    account = with_service(cast)
    assert post(account, inbound_form(To=CHOSEN, MessagingServiceSid=SERVICE, Body="STOP")).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=NUMBER)
        assert InboundMessage.objects.get().sender.value == SERVICE
        assert Message.objects.get(batch__exemption="opt_out_confirmation").batch.sender.value == SERVICE
        assert not Sender.objects.filter(value=CHOSEN).exists()


def test_a_number_that_was_learnt_needs_no_service_in_the_callback(cast: Cast) -> None:
    account = with_service(cast)
    post(account, inbound_form(To=CHOSEN, MessagingServiceSid=SERVICE))
    assert post(account, inbound_form(To=CHOSEN, Body="Another")).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert {one.sender.value for one in InboundMessage.objects.select_related("sender")} == {SERVICE}


def test_a_number_of_its_own_stays_the_sender(cast: Cast) -> None:
    account = with_service(cast)
    with tenant_scope(cast.clinic.tenant.id):
        add_sender(tenant=cast.clinic.tenant, account=account, value=CHOSEN, kind="long_code")
    assert post(account, inbound_form(To=CHOSEN, MessagingServiceSid=SERVICE)).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert InboundMessage.objects.get().sender.value == CHOSEN


def test_a_stop_to_a_service_that_nobody_set_up_holds(cast: Cast) -> None:
    """The signature shows that it is the account's; nothing is learnt for a service of somebody else."""
    account = with_service(cast)
    other = "MG" + "e" * 32
    assert post(account, inbound_form(To=CHOSEN, MessagingServiceSid=other, Body="STOP")).status_code == 204
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=NUMBER)
        assert Sender.objects.get(value=CHOSEN).status == "paused"
        assert not ServiceNumber.objects.exists()


@pytest.mark.parametrize("kind", ["inbound", "status"])
@pytest.mark.parametrize("service", ["MG1", SERVICE + "0", "SM" + "d" * 32])
def test_what_can_be_no_service_is_refused(cast: Cast, kind: str, service: str) -> None:
    account = with_service(cast)
    form = inbound_form() if kind == "inbound" else status_form()
    assert post(account, {**form, "MessagingServiceSid": service}, kind=kind).status_code == 400


def test_another_tenants_service_is_learnt_for_nobody(cast: Cast) -> None:
    with_service(cast)
    with tenant_scope(cast.shop.tenant.id):
        shops = add_provider_account(
            kind="twilio", name="Twilio", credentials={"account_sid": SID, "auth_token": TOKEN}
        )
    assert post(shops, inbound_form(To=CHOSEN, MessagingServiceSid=SERVICE)).status_code == 204
    for company in (cast.clinic, cast.shop):
        with tenant_scope(company.tenant.id):
            assert not ServiceNumber.objects.exists()


def test_an_attempt_in_doubt_is_recognised_by_its_service() -> None:
    now = datetime.now(UTC)
    doubt = Doubt(UUID(int=1), NUMBER, SERVICE, "Hi", now, now + timedelta(seconds=30))

    def text(sid: str, sender: str, service: str) -> KnownText:
        return KnownText(sender, NUMBER, "Hi", now, StatusUpdate(sid, "sent", "sent"), service=service)

    found = match([doubt], [text("SM1", CHOSEN, SERVICE)], claimed=()).found
    assert found[doubt.attempt_id].provider_message_id == "SM1"
    assert match([doubt], [text("SM2", "", SERVICE)], claimed=()).found, "no number is chosen while it waits"
    assert not match([doubt], [text("SM3", CHOSEN, "")], claimed=()).found
    by_number = Doubt(UUID(int=2), NUMBER, CHOSEN, "Hi", now, now + timedelta(seconds=30))
    assert match([by_number], [text("SM4", CHOSEN, SERVICE)], claimed=()).found, "a number may be in a service, too"


def test_the_record_names_the_service(cast: Cast, settings: Any) -> None:
    account = with_service(cast)
    with twilio_server(settings, SID) as server:
        server.take({"To": NUMBER, "Body": "Hi", "MessagingServiceSid": SERVICE}, status="accepted")

        async def ask() -> Any:
            return await provider_for(account).texts_to(NUMBER, since=datetime.now(UTC) - timedelta(hours=1))

        (text,) = event_loop.run(ask())
    assert (text.sender, text.service, text.news.status) == ("", SERVICE, "accepted")
