"""Settings > Health and ``manage.py doctor``: what is stuck is named, with what to do; what is well is not."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from common import findings
from common.lanes import MARKETING
from contacts.models import ContactImport
from messaging.models import (
    Attempt,
    Batch,
    DeliveryReceipt,
    DispatchState,
    InboundMessage,
    ProviderAccount,
    RecordComparison,
    Sender,
)
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from smsplatform import doctor
from tenants.models import OutgoingMail
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

LONG_AGO = timedelta(hours=1)


def a_batch(company: Company, **state: Any) -> Batch:
    batch, (message_id,) = enqueue([Draft("+12025550101", "Hello")], Cause("campaign", MARKETING, "marketing"))
    Batch.objects.filter(id=batch.id).update(not_before=timezone.now() + LONG_AGO)
    Batch.objects.filter(id=batch.id).update(**state)
    batch.first_message_id = message_id  # type: ignore[attr-defined]
    return batch


def due_batch(company: Company, at: Any) -> None:
    a_batch(company, not_before=at)


def left_batch(company: Company, at: Any) -> None:
    a_batch(company, state="leased", leased_until=at)


def doubt(company: Company, at: Any) -> None:
    batch = a_batch(company, state="done")
    Attempt.objects.create(
        message_id=batch.first_message_id,  # type: ignore[attr-defined]
        provider_account=company.account,
        state="unknown",
        deadline=at,
    )


def receipt(company: Company, at: Any) -> None:
    DeliveryReceipt.objects.create(
        provider_account=company.account, provider_message_id="SIM1", provider_status="sent", received_at=at
    )


def incoming(company: Company, at: Any) -> None:
    InboundMessage.objects.create(
        provider_account=company.account,
        provider_message_id="SIM2",
        sender=company.sender,
        number="+12025550101",
        received_at=at,
    )


def refused_account(company: Company, at: Any) -> None:
    ProviderAccount.objects.update(status="paused", trouble="20003")


def refused_sender(company: Company, at: Any) -> None:
    Sender.objects.update(status="paused", trouble="30034")


def campaign(company: Company, at: Any) -> None:
    Campaign.objects.create(name="Sale", body="Hi", status="launching", launched_at=at, plan_failures=3)


def contact_import(company: Company, at: Any) -> None:
    ContactImport.objects.create(file_name="people.csv", status="importing", leased_until=at)


def mail(company: Company, at: Any) -> None:
    OutgoingMail.objects.create(kind="export_ready", address="alice@clinic.example", created_at=at)


def unread_record(company: Company, at: Any) -> None:
    RecordComparison.objects.create(
        provider_account=company.account, cause="nightly", since=at, until=at, problem="http_503"
    )


def differences(company: Company, at: Any) -> None:
    RecordComparison.objects.create(
        provider_account=company.account,
        cause="nightly",
        since=at,
        until=at,
        only_here=2,
        examples={"only_here": ["SIM77"]},
        finished_at=at,
    )


def restored(company: Company, at: Any) -> None:
    DispatchState.objects.create(identity="x", held_since=at, reason="It was restored.")


CASES: list[tuple[Callable[[Company, Any], None], str, bool]] = [
    # What makes it, what the page says, whether it matters only after a while.
    (due_batch, "no worker has taken them", True),
    (left_batch, "left behind by a worker that died", True),
    (doubt, "has not said whether it took them", True),
    (receipt, "receipts wait to be applied", True),
    (incoming, "Incoming texts wait to be handled", True),
    (refused_account, "The account Simulator is paused because its provider refuses it (error 20003)", False),
    (refused_sender, "is paused because its provider refuses it (error 30034)", False),
    (campaign, "Campaigns could not be prepared", False),
    (contact_import, "Imports stand still", True),
    (mail, "Mails could not be sent", True),
    (unread_record, "The record of Simulator could not be read (http_503)", False),
    (differences, "0 texts only there, 2 only here", False),
    (restored, "No text goes out: It was restored", False),
]


@pytest.mark.parametrize(("make", "says", "late"), CASES, ids=[make.__name__ for make, _, _ in CASES])
def test_what_is_stuck_is_named(
    client: Client, cast: Cast, make: Callable[[Company, Any], None], says: str, late: bool
) -> None:
    sign_in(client, cast.vera, cast.clinic.tenant)
    assert "Nothing is stuck" in text_of(client.get(reverse("health")))
    if late:
        with tenant_scope(cast.clinic.tenant.id):
            make(cast.clinic, timezone.now())
        assert says not in text_of(client.get(reverse("health"))), "it has just happened"
    with tenant_scope(cast.clinic.tenant.id):
        for model in (DeliveryReceipt, InboundMessage):
            model.objects.all().delete()
        make(cast.clinic, timezone.now() - LONG_AGO)
    assert says in text_of(client.get(reverse("health")))


def test_others_do_not_see_it(client: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        due_batch(cast.clinic, timezone.now() - LONG_AGO)
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert "Nothing is stuck" in text_of(client.get(reverse("health")))


def test_many_are_not_counted(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "COUNTED_UP_TO", 2)
    with tenant_scope(cast.clinic.tenant.id):
        for _ in range(3):
            due_batch(cast.clinic, timezone.now() - LONG_AGO)
    sign_in(client, cast.alice, cast.clinic.tenant)
    assert "more than 2" in text_of(client.get(reverse("health")))


# --- manage.py doctor -------------------------------------------------------------------------------------------------


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform whose ticker and workers run, which a test process has not."""
    monkeypatch.setattr(doctor, "beat_state", lambda: "ok")
    queues = {"worker": [{"name": lane} for lane in doctor.LANES]}
    inspect = type("Inspect", (), {"active_queues": lambda self: queues})
    monkeypatch.setattr(doctor.app.control, "inspect", lambda timeout: inspect())


def said(*arguments: str) -> tuple[int, str]:
    """Exit status and output of the command."""
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_doctor_finds_nothing(cast: Cast, healthy: None) -> None:
    assert said() == (0, "All is well.\n")
    assert json.loads(said("--json")[1]) == {"ok": True}


def test_the_doctor_names_the_tenant_and_what_to_do(cast: Cast, healthy: None) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        refused_account(cast.clinic, None)
    status, text = said()
    assert status == 1
    assert text.startswith(f"{cast.clinic.tenant.slug}: The account Simulator is paused")
    assert "Enter the present auth token" in text
    line = json.loads(said("--json")[1])
    assert (line["where"], line["count"]) == (cast.clinic.tenant.slug, 1)


def test_the_doctor_names_lanes_without_a_worker(cast: Cast, healthy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LANES", (*doctor.LANES, "pigeons"))
    assert "No worker answers for the lane pigeons" in said()[1]


def test_the_doctor_names_what_is_down(cast: Cast, healthy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "database_state", lambda: "unreachable")
    status, text = said()
    assert status == 1
    assert "Database: unreachable" in text
    assert "DATABASE_URL" in text


def test_a_hold_is_told_once(cast: Cast, healthy: None) -> None:
    restored(cast.clinic, timezone.now())
    assert said()[1].count("No text goes out") == 1
