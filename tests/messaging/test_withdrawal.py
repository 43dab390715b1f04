"""After an opt-out nothing waits any more: what was queued or put off for the number ends at once, and says why."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.lanes import CONVERSATION, MARKETING
from consent.ledger import OptIn, record_opt_ins
from consent.models import Suppression
from consent.services import opt_back_in, opt_out, opt_out_many
from messaging.models import Batch, Message
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.providers.base import InboundText
from messaging.services import receive
from messaging.tasks import withdraw_texts
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.daylight import Daylight, tonight

ANN, BEN = "+12025550101", "+12025550102"
ENDED = {"outcome": "block", "rule": "number_is_not_suppressed", "because": "opted_out"}


def queue(company: Company, *numbers: str, lane: str = MARKETING) -> None:
    with tenant_scope(company.tenant.id):
        record_opt_ins([OptIn(one, "marketing", "web_form") for one in numbers], actor_id=None)
        enqueue([Draft(one, "Hello") for one in numbers], Cause(kind="campaign", lane=lane, purpose="marketing"))


def outcomes(company: Company) -> dict[str, Any]:
    with tenant_scope(company.tenant.id):
        return dict(Message.objects.order_by("created_at").values_list("number", "status"))


def text(company: Company, number: str, body: str) -> None:
    with tenant_scope(company.tenant.id):
        receive(company.account, InboundText(f"SIM{number}{body}", company.sender.value, number, body))


@pytest.mark.django_db
def test_what_is_queued_ends_with_the_reason(cast: Cast) -> None:
    queue(cast.clinic, ANN, BEN)
    text(cast.clinic, ANN, "STOP")
    withdraw_texts()
    with tenant_scope(cast.clinic.tenant.id):
        ann, ben = (Message.objects.filter(batch__exemption="").get(number=one) for one in (ANN, BEN))
        assert (ann.status, ben.status) == ("blocked", "queued")
        assert {**ann.decision, **ann.decision["data"]}.items() >= ENDED.items()
        assert Batch.objects.get(id=ann.batch_id).tally == {"blocked": 1, "queued": 1}
        confirmation = Message.objects.get(batch__exemption="opt_out_confirmation")
        assert (confirmation.number, confirmation.status) == (ANN, "queued")
        assert not Suppression.objects.filter(followed_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_the_morning_ends_too(committed_cast: Cast, network: str, daylight: Daylight) -> None:
    daylight.become(tonight())
    queue(committed_cast.clinic, ANN, BEN)
    assert run_next_batch(MARKETING)
    assert set(outcomes(committed_cast.clinic).values()) == {"deferred"}
    with tenant_scope(committed_cast.clinic.tenant.id):
        opt_out(number=ANN, source="staff")
    withdraw_texts()
    assert outcomes(committed_cast.clinic) == {ANN: "blocked", BEN: "deferred"}


@pytest.mark.django_db
def test_many_at_once_and_of_every_lane(cast: Cast) -> None:
    numbers = [f"+1202555{n:04}" for n in range(100, 130)]
    queue(cast.clinic, *numbers)
    queue(cast.clinic, *numbers, lane=CONVERSATION)
    with tenant_scope(cast.clinic.tenant.id):
        opt_out_many(numbers=numbers[:20], source="staff", evidence={})
    withdraw_texts()
    with tenant_scope(cast.clinic.tenant.id):
        assert Message.objects.filter(status="blocked").count() == 40
        assert set(Message.objects.filter(status="queued").values_list("number", flat=True)) == set(numbers[20:])


@pytest.mark.django_db
def test_the_same_number_of_another_tenant_is_left_alone(cast: Cast) -> None:
    queue(cast.clinic, ANN)
    queue(cast.shop, ANN)
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=ANN, source="staff")
    withdraw_texts()
    assert (outcomes(cast.clinic), outcomes(cast.shop)) == ({ANN: "blocked"}, {ANN: "queued"})


@pytest.mark.django_db(transaction=True)
def test_who_came_back_keeps_what_was_written_since(committed_cast: Cast) -> None:
    queue(committed_cast.clinic, ANN)
    with tenant_scope(committed_cast.clinic.tenant.id):
        Message.objects.update(created_at=timezone.now() - timedelta(minutes=1))
        opt_out(number=ANN, source="staff")
        opt_back_in(number=ANN, wording="START", evidence={})
    queue(committed_cast.clinic, ANN)
    withdraw_texts()
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert list(Message.objects.order_by("created_at").values_list("status", flat=True)) == ["blocked", "queued"]
