"""From the page on which a Telnyx account is connected to receipts and a STOP, with Telnyx at the other end of the wire."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from common.lanes import MARKETING
from consent.services import is_suppressed
from messaging.models import Attempt, Message, ProviderAccount, Sender
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.receipt import apply_pending
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.telnyx_server import PROFILE, TelnyxServer, event, telnyx_server
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

BASE = "https://texts.example"
NUMBER = "+12025550180"
ANN, BOB = "+12025550101", "+12025550102"
KEY = "KEY0123_abc-DEF"


@pytest.fixture
def telnyx(settings: Any, committed_cast: Cast) -> Iterator[TelnyxServer]:
    settings.PUBLIC_BASE_URL = BASE
    cache.clear()
    with telnyx_server(settings) as server:
        yield server


@pytest.fixture
def clinic(committed_cast: Cast, client: Client) -> Company:
    sign_in(client, committed_cast.alice, committed_cast.clinic.tenant)
    return committed_cast.clinic


def typed(telnyx: TelnyxServer, **changes: str) -> dict[str, str]:
    form = {
        "provider": "telnyx",
        "name": "Main",
        "api_key": KEY,
        "public_key": telnyx.public_key,
        "messaging_profile_id": PROFILE,
    }
    return {**form, **changes}


def statuses(company: Company) -> dict[str, str]:
    with tenant_scope(company.tenant.id):
        return dict(Message.objects.values_list("number", "status"))


def test_from_the_page_to_the_receipt(client: Client, clinic: Company, telnyx: TelnyxServer) -> None:
    page = text_of(client.post(reverse("account_add"), typed(telnyx), follow=True))
    with tenant_scope(clinic.tenant.id):
        account = ProviderAccount.objects.get(kind="telnyx")
    inbound = f"{BASE}/callbacks/telnyx/{account.id}/inbound"
    assert inbound in page
    client.post(reverse("sender_add"), {"account": str(account.id), "value": NUMBER, "kind": "long_code"})
    with tenant_scope(clinic.tenant.id):
        sender = Sender.objects.get(value=NUMBER, provider_account=account)
        # A cause that the gate lets through.
        cause = Cause("campaign", MARKETING, "support", sender_id=sender.id, exemption="help_reply")
        enqueue([Draft(ANN, "Hello Ann"), Draft(BOB, "Hello Bob")], cause)
    run_next_batch(MARKETING)

    assert statuses(clinic) == {ANN: "accepted", BOB: "accepted"}
    assert set(telnyx.keys_used) == {f"Bearer {KEY}"}
    taken = {text["to"]: message_id for message_id, text in telnyx.taken.items()}
    assert telnyx.taken[taken[ANN]]["text"] == "Hello Ann"
    assert telnyx.taken[taken[ANN]]["messaging_profile_id"] == PROFILE

    assert telnyx.tell(taken[ANN], "sent", kind="message.sent").status_code == 204
    assert telnyx.tell(taken[ANN], "delivered").status_code == 204
    refused = [{"code": "40001", "title": "Not routable"}]
    assert telnyx.tell(taken[BOB], "delivery_failed", errors=refused).status_code == 204
    apply_pending()
    assert statuses(clinic) == {ANN: "delivered", BOB: "undelivered"}
    with tenant_scope(clinic.tenant.id):
        assert {attempt.provider_message_id for attempt in Attempt.objects.all()} == set(telnyx.taken)

    stop = {
        "id": "40385f64-5717-4562-b3fc-2c963f66afa6",
        "direction": "inbound",
        "from": {"phone_number": ANN},
        "to": [{"phone_number": NUMBER}],
        "text": "STOP",
    }
    assert telnyx.call(inbound, event("message.received", inbound, **stop)).status_code == 204
    with tenant_scope(clinic.tenant.id):
        assert is_suppressed(number=ANN)
        assert not is_suppressed(number=BOB)


def test_the_dialog_asks_what_the_provider_needs(client: Client, clinic: Company) -> None:
    address = reverse("account_add")
    assert "Account SID" in text_of(client.get(address))
    page = text_of(client.get(address, {"provider": "telnyx"}))
    assert "Public key" in page
    assert "Account SID" not in page
    assert "Account SID" in text_of(client.get(address, {"provider": "nobody"}))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"api_key": ""}, "This field is required."),
        ({"api_key": "KEY 1"}, "without spaces"),
        ({"api_key": "KEYé"}, "without spaces"),
        ({"public_key": "AAAA"}, "44 letters"),
        ({"public_key": "é" * 44}, "44 letters"),
        ({"messaging_profile_id": "1"}, "Enter a valid UUID."),
        ({"name": "Simulator"}, "There is an account with this name already."),
    ],
    ids=str,
)
def test_a_wrong_account_comes_back_in_its_dialog(
    client: Client, clinic: Company, telnyx: TelnyxServer, changes: dict[str, str], problem: str
) -> None:
    response = client.post(reverse("account_add"), typed(telnyx, **changes))
    assert response.status_code == 422
    assert problem in text_of(response)
    assert KEY not in text_of(response)
    with tenant_scope(clinic.tenant.id):
        assert not ProviderAccount.objects.filter(kind="telnyx").exists()


def test_another_api_key_is_entered(client: Client, clinic: Company, telnyx: TelnyxServer) -> None:
    client.post(reverse("account_add"), typed(telnyx))
    with tenant_scope(clinic.tenant.id):
        account = ProviderAccount.objects.get(kind="telnyx")
        ProviderAccount.objects.filter(id=account.id).update(status="paused", trouble="10009")
    assert account.account_reference == PROFILE
    assert "does not accept the account’s API key" in text_of(client.get(reverse("senders"))).replace("'", "’")
    address = reverse("account_token", args=[account.id])
    assert "New API key" in text_of(client.get(address))
    assert client.post(address, {"auth_token": "KEY\u00a02"}).status_code == 422
    assert client.post(address, {"auth_token": "KEY2"}).status_code == 302
    with tenant_scope(clinic.tenant.id):
        account = ProviderAccount.objects.get(id=account.id)
        assert (account.status, account.trouble) == ("active", "")
        assert account.credentials == {
            "api_key": "KEY2",
            "public_key": telnyx.public_key,
            "messaging_profile_id": PROFILE,
        }
        entries = str(list(AuditEntry.objects.values_list("action", "before", "after")))
        assert "account.secret_replaced" in entries
        assert "KEY2" not in entries
        assert KEY not in entries
