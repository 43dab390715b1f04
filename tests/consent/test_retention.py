"""Evidence of consent that is over goes after the years that its tenant keeps it; opt-outs never do."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.ids import first_id
from consent import ledger, verifier
from consent.appending import NewRecord
from consent.evidence import NothingRecorded, evidence_pack
from consent.models import ConsentRecord, ConsentState, EvidenceRetention, PossibleOptOut, Suppression
from consent.replay import problems
from consent.retention import AT_ONCE
from consent.sealing import seal, signer
from consent.services import is_suppressed, opt_out
from consent.tasks import forget_old_evidence
from consent.validity import set_expiry
from contacts.models import Contact
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.web import sign_in, text_of

ANN, BEN = "+12025550101", "+12025550102"
DAY = timedelta(days=1)
LONG_AGO, LATELY = 6 * 366 * DAY, 4 * 365 * DAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _signing_key(settings: Any) -> None:
    settings.LEDGER_SIGNING_KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def clinic(cast: Cast) -> Iterator[UUID]:
    return cast.clinic.tenant.id


def at(moment: datetime, act: Callable[[], object]) -> None:
    with time_machine.travel(moment, tick=False):
        act()


def agree(number: str, ago: timedelta, *, act: str = "opt_in", purpose: str = "marketing") -> None:
    """A record of that time; its id tells it too."""
    moment = timezone.now() - ago
    record_id = UUID(int=first_id(moment).int + int(number[-4:]))
    new = NewRecord(
        number, purpose, act, "web_form", "Yes, text me", {"page": "/f/1"}, occurred_at=moment, id=record_id
    )
    at(moment, lambda: ledger.record([new]))


def stop(number: str, ago: timedelta) -> None:
    at(timezone.now() - ago, lambda: opt_out(number=number, source="reply", wording="STOP"))


def kept(number: str) -> bool:
    return ConsentRecord.objects.filter(number=number).exclude(salt=b"").exists()


def sweep() -> None:
    forget_old_evidence()


Story = Callable[[], object]


def _again_lately() -> None:
    agree(ANN, LONG_AGO)
    stop(ANN, LONG_AGO - 400 * DAY)
    agree(BEN, LATELY)
    agree_again = NewRecord(ANN, "reminder", "opt_in", "paper")
    at(timezone.now() - LATELY, lambda: ledger.record([agree_again]))


def _stopped_lately() -> None:
    agree(ANN, LONG_AGO)
    stop(ANN, LATELY)


def _of_one_kind() -> None:
    agree(ANN, LONG_AGO)
    agree(ANN, LONG_AGO - DAY, act="opt_out")


def _in_question() -> None:
    agree(ANN, LONG_AGO)
    stop(ANN, LONG_AGO - DAY)
    PossibleOptOut.objects.create(number=ANN)


def _over() -> None:
    agree(ANN, LONG_AGO)
    stop(ANN, LONG_AGO - DAY)


def _ended_by_itself(months: int) -> None:
    agree(ANN, LONG_AGO)
    set_expiry(purpose="marketing", months=months)


@pytest.mark.parametrize(
    ("story", "stays"),
    [
        (_over, False),
        (lambda: _ended_by_itself(6), False),
        (lambda: _ended_by_itself(24), True),
        (lambda: agree(ANN, LONG_AGO), True),
        (_stopped_lately, True),
        (_again_lately, True),
        (_of_one_kind, True),
        (_in_question, True),
    ],
    ids=[
        "stopped long ago",
        "ended long ago",
        "ended lately",
        "in force",
        "stopped lately",
        "agreed again",
        "one kind",
        "asked",
    ],
)
def test_what_goes_is_over_for_longer_than_it_is_kept(clinic: UUID, story: Story, stays: bool) -> None:
    with tenant_scope(clinic):
        story()
    sweep()
    with tenant_scope(clinic):
        assert kept(ANN) is stays
        shells = ConsentRecord.objects.filter(salt=b"")
        assert all((one.number[0], one.wording, one.evidence) == ("-", "", {}) for one in shells)


def test_the_opt_out_holds_the_log_holds_and_others_can_prove_what_they_could(clinic: UUID) -> None:
    with tenant_scope(clinic):
        _over()
        agree(BEN, LONG_AGO)
        held = seal()
        assert held
    sweep()
    keys = [signer().public_key]
    with tenant_scope(clinic):
        assert not kept(ANN)
        assert is_suppressed(number=ANN)
        assert not Suppression.objects.filter(number=ANN).exists(), "by a keyed hash"
        assert not ConsentState.objects.filter(number=ANN).exists()
        assert list(problems(keys, [held.note])) == []
        verifier.check(json.loads(json.dumps(evidence_pack(number=BEN))), keys, held.note)
        with pytest.raises(NothingRecorded):
            evidence_pack(number=ANN)


def test_of_a_contact_the_suppression_keeps_its_number(clinic: UUID) -> None:
    with tenant_scope(clinic):
        Contact.objects.create(number=ANN)
        _over()
    sweep()
    with tenant_scope(clinic):
        assert not kept(ANN)
        assert Suppression.objects.filter(number=ANN, lifted_at=None).exists()


def test_a_tenant_is_looked_at_once_a_day(clinic: UUID) -> None:
    sweep()
    with tenant_scope(clinic):
        _over()
    sweep()
    with tenant_scope(clinic):
        assert kept(ANN), "today's look is over"
        EvidenceRetention.objects.update(swept_on=timezone.now().date() - DAY)
    sweep()
    with tenant_scope(clinic):
        assert not kept(ANN)
        assert AuditEntry.objects.get(action="consent.evidence_forgotten").after == {"numbers": 1}


def test_many_are_looked_at_piece_by_piece(clinic: UUID) -> None:
    """Also those behind more than a piece of others that stay."""
    with tenant_scope(clinic):
        moment = timezone.now() - LONG_AGO
        ids = (UUID(int=first_id(moment).int + n) for n in range(AT_ONCE + 20))
        rows = [
            NewRecord(f"+1303{n:07d}", "marketing", "opt_in", "paper", id=record_id) for n, record_id in enumerate(ids)
        ]
        at(moment, lambda: ledger.record(rows))
        at(moment + DAY, lambda: opt_out(number=rows[-1].number, source="staff"))
    sweep()
    with tenant_scope(clinic):
        assert ConsentRecord.objects.filter(salt=b"").count() == 2
        assert not kept(rows[-1].number)


def test_what_another_tenant_keeps_stays(cast: Cast) -> None:
    for company in (cast.clinic, cast.shop):
        with tenant_scope(company.tenant.id):
            _over()
    with tenant_scope(cast.shop.tenant.id):
        EvidenceRetention.objects.create(years=10)
    sweep()
    for company, stays in ((cast.clinic, False), (cast.shop, True)):
        with tenant_scope(company.tenant.id):
            assert kept(ANN) is stays


@pytest.mark.parametrize("years", ["4", "31", "", "x", "-5", "9" * 30])
def test_no_less_than_the_law_and_no_more_than_can_be_meant(client: Client, cast: Cast, years: str) -> None:
    sign_in(client, cast.alice, cast.clinic.tenant)
    assert client.post(reverse("retention_edit"), {"years": years}).status_code == 422


def test_owners_choose_it_and_others_read_it(client: Client, cast: Cast) -> None:
    sign_in(client, cast.alice, cast.clinic.tenant)
    assert "5 years after consent has ended" in text_of(client.get(reverse("ledger")))
    assert client.post(reverse("retention_edit"), {"years": "7"})["Location"] == reverse("ledger")
    sign_in(client, cast.mona, cast.clinic.tenant)
    page = text_of(client.get(reverse("ledger")))
    assert "7 years after consent has ended" in page
    assert reverse("retention_edit") not in page
    assert client.get(reverse("retention_edit")).status_code == 403
    assert client.post(reverse("retention_edit"), {"years": "6"}).status_code == 403
