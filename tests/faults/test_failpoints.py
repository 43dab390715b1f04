"""A process dies at each failpoint; a healthy one goes on. Nothing is lost, nothing is there twice.

The provider's own record is what counts, not ours.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from campaigns import services as campaigns
from campaigns.models import Campaign, CampaignRecipient
from common.failpoints import DIED
from common.lanes import BACKGROUND, MARKETING, TRANSACTIONAL
from consent.services import is_suppressed
from contacts.importing.progress import LEASE as IMPORT_LEASE
from contacts.models import Contact, ContactImport, ImportRow
from contacts.services import start_import, upload_import
from messaging.models import Batch, DeliveryReceipt, InboundMessage, Message
from messaging.pipeline.receipt import store
from messaging.providers.base import StatusUpdate
from support.models import Conversation
from tenants.scope import all_tenants, tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.faults.carrier import post_inbound, post_status
from tests.faults.children import Setup, child, free_port, serve, until, work
from tests.faults.world import World, numbers, tick
from tests.twilio_server import taken_but_hangs_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = numbers(12)
ACCEPTED, NEVER_ARRIVED = ("accepted", ""), ("failed", "never_arrived")
ARMED = {"FAILPOINTS": "armed"}


def in_source() -> list[str]:
    """The name of each failpoint in the product."""
    found = []
    for package in ("campaigns", "common", "consent", "contacts", "messaging", "support", "tenants", "smsplatform"):
        for path in (ROOT / package).rglob("*.py"):
            found += re.findall(r'^\s+failpoint\("(\w+)"\)$', path.read_text(), re.MULTILINE)
    return found


@dataclass(frozen=True)
class Row:
    """A failpoint, and how the story goes: ``begin`` makes the work, ``check`` judges what became of it."""

    failpoint: str
    story: "Story"
    ends: tuple[str, str] = ACCEPTED
    lane: str = MARKETING
    fault: str = "F01"

    @property
    def id(self) -> str:
        """Its name in the list of tests."""
        return f"{self.fault}-{self.failpoint}-{self.lane}"


@dataclass(frozen=True)
class Story:
    """The parts of a test that differ from kind to kind."""

    begin: Callable[[World, Row], Any]
    check: Callable[[World, Row, Any], None]
    constants: dict[str, Any] = field(default_factory=dict)
    later: timedelta | None = None


def survive(world: World, row: Row) -> None:
    """The worker dies at the failpoint; time passes; another worker does what is left."""
    story = row.story
    made = story.begin(world, row)
    armed = Setup(environment={**ARMED, "FAILPOINT": row.failpoint}, constants=story.constants)
    with child(work, armed) as dying:
        until(lambda: dying.exitcode is not None, meanwhile=lambda: (tick(), world.hint(row.lane)))
        assert dying.exitcode == DIED
    world.time_passes()
    with child(work, Setup(constants=story.constants)):
        story.check(world, row, made)


# --- Stories ------------------------------------------------------------------------------------------------------


def hand_over(world: World, row: Row) -> None:
    world.queue(PEOPLE, lane=row.lane)


def all_sent_once(world: World, row: Row, _: Any) -> None:
    world.let_run(lambda: world.settled([row.ends]))
    arrived = row.ends[0] != "failed"
    assert world.taken() == dict.fromkeys(PEOPLE, 1) if arrived else not world.taken()
    assert world.outcomes() == {row.ends: len(PEOPLE)}
    assert all(count == 1 for count in world.live_attempts().values())


def in_doubt(world: World, row: Row) -> None:
    """The provider took everything, and each of its answers was lost."""
    world.provider.deeds = dict.fromkeys(PEOPLE, taken_but_hangs_up)
    world.queue(PEOPLE, lane=row.lane)
    with child(work, Setup()):
        until(lambda: world.outcomes() == {("unknown", "no_answer"): len(PEOPLE)}, meanwhile=world.hint)
    world.time_passes(timedelta(minutes=1))


def told(world: World, row: Row) -> None:
    """Receipts wait to be applied."""
    in_doubt(world, row)
    with tenant_scope(world.company.tenant.id):
        for message in Message.objects.all():
            sid = next(one["sid"] for one in world.provider.messages if one["to"] == message.number)
            attempt = message_attempt(message)
            store(world.sender.provider_account, attempt, StatusUpdate(sid, "delivered", "delivered"))


def message_attempt(message: Message) -> Any:
    from messaging.models import Attempt

    return Attempt.objects.get(message=message).id


def overdue(world: World, row: Row) -> None:
    """A worker died after its attempts were committed."""
    hand_over(world, row)
    with child(work, Setup(environment={**ARMED, "FAILPOINT": "after_response"})) as dying:
        until(lambda: dying.exitcode is not None, meanwhile=world.hint)
    world.time_passes(timedelta(minutes=1))


def campaign(world: World, row: Row) -> Campaign:
    draft = make_draft(world.company, make_list(world.company, PEOPLE), sender=world.sender)
    with tenant_scope(world.company.tenant.id):
        campaigns.launch(campaign=draft)
    return draft


def everybody_has_one(world: World, row: Row, made: Campaign) -> None:
    def done() -> bool:
        with tenant_scope(world.company.tenant.id):
            rows = CampaignRecipient.objects.filter(campaign=made)
            return rows.count() == len(PEOPLE) and not rows.exclude(message__status="accepted").exists()

    world.let_run(done)
    assert world.taken() == dict.fromkeys(PEOPLE, 1)
    with tenant_scope(world.company.tenant.id):
        assert Message.objects.count() == len(PEOPLE)


def reply(world: World, row: Row) -> None:
    with tenant_scope(world.company.tenant.id):
        InboundMessage.objects.create(
            provider_account=world.sender.provider_account,
            provider_message_id="SM1",
            sender=world.sender,
            number=PEOPLE[0],
            body="When do you open?",
            received_at=timezone.now() - timedelta(minutes=1),
        )


def one_conversation(world: World, row: Row, _: Any) -> None:
    def handled() -> bool:
        with tenant_scope(world.company.tenant.id):
            return InboundMessage.objects.exclude(handled_at=None).exists()

    world.let_run(handled)
    with tenant_scope(world.company.tenant.id):
        assert (Conversation.objects.count(), InboundMessage.objects.count()) == (1, 1)


def import_file(world: World, row: Row) -> ContactImport:
    content = "\n".join(["phone,first name", *(f"{number},P" for number in PEOPLE), "12,Bad"])
    with tenant_scope(world.company.tenant.id):
        job = upload_import(tenant=world.company.tenant, file_name="people.csv", content=content.encode(), user_id=None)
        start_import(job=job, columns=job.columns, basis="web_form", purposes=["marketing"])
    return job


def each_row_once(world: World, row: Row, job: ContactImport) -> None:
    with all_tenants("test"):
        ContactImport.objects.filter(leased_until__isnull=False).update(leased_until=timezone.now() - IMPORT_LEASE)

    def done() -> ContactImport | None:
        with tenant_scope(world.company.tenant.id):
            return ContactImport.objects.filter(id=job.id, status="done").first()

    until(done, meanwhile=tick)
    with tenant_scope(world.company.tenant.id):
        assert ContactImport.objects.get().counts == {"created": len(PEOPLE), "rejected": 1}
        assert sorted(Contact.objects.values_list("number", flat=True)) == PEOPLE
        assert ImportRow.objects.count() == len(PEOPLE) + 1


HAND_OVER = Story(hand_over, all_sent_once)
CAMPAIGN = Story(campaign, everybody_has_one, {"campaigns.launch.MAX_BATCH": 5})
DOUBT = Story(in_doubt, all_sent_once)
IMPORT = Story(
    import_file, each_row_once, {"contacts.importing.run.CHECK_ROWS": 4, "contacts.importing.run.IMPORT_ROWS": 4}
)

WORKER = [
    Row("after_claim", HAND_OVER),
    Row("before_intent", HAND_OVER),
    Row("after_intent", HAND_OVER, NEVER_ARRIVED, fault="F02"),
    Row("after_intent", HAND_OVER, lane=TRANSACTIONAL, fault="F02"),
    Row("after_response", HAND_OVER, fault="F03"),
    Row("after_record", HAND_OVER, fault="F03"),
    Row("half_given_up", Story(overdue, all_sent_once), fault="F03"),
    Row("after_asking", DOUBT, fault="F03"),
    Row("half_settled", DOUBT, fault="F03"),
    Row("receipts_half_applied", Story(told, all_sent_once), ("delivered", ""), fault="F03"),
    Row("after_freeze", CAMPAIGN, fault="F23"),
    Row("between_pages", CAMPAIGN, fault="F23"),
    Row("page_half_planned", CAMPAIGN, fault="F23"),
    Row("before_handled", Story(reply, one_conversation), lane=BACKGROUND),
    Row("after_import_range", IMPORT, fault="F24"),
]
WEB = ("before_inbound_commit", "after_inbound_commit", "after_receipt_commit")


def test_every_failpoint_has_a_row() -> None:
    names = in_source()
    assert len(names) == len(set(names)), "each name is in one place"
    assert set(names) == {row.failpoint for row in WORKER} | set(WEB)


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id, marks=pytest.mark.fault(row.fault)) for row in WORKER])
def test_a_worker_dies_there(clinic: World, row: Row) -> None:
    survive(clinic, row)


@pytest.mark.fault("F21")
@pytest.mark.parametrize("failpoint", ["before_inbound_commit", "after_inbound_commit"])
def test_the_web_server_dies_while_it_takes_a_stop(clinic: World, settings: Any, failpoint: str) -> None:
    """The carrier asks again, because it got no answer: the person is opted out, and is told so once."""
    settings.PUBLIC_BASE_URL = f"http://127.0.0.1:{(port := free_port())}"
    account = clinic.company.account
    with child(serve, Setup(environment={**ARMED, "FAILPOINT": failpoint}, port=port)) as dying:
        assert until(lambda: post_inbound(account, PEOPLE[0], clinic.company.sender.value, "STOP")) == "no answer"
        until(lambda: dying.exitcode is not None)
        assert dying.exitcode == DIED
    with child(serve, Setup(port=port)):
        assert until(lambda: post_inbound(account, PEOPLE[0], clinic.company.sender.value, "STOP")) == 204
    with tenant_scope(clinic.company.tenant.id):
        assert is_suppressed(number=PEOPLE[0])
        assert InboundMessage.objects.count() == 1
        assert Batch.objects.filter(exemption="opt_out_confirmation").count() == 1


@pytest.mark.fault("F21")
def test_the_web_server_dies_while_it_takes_a_receipt(clinic: World, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = f"http://127.0.0.1:{(port := free_port())}"
    with child(serve, Setup(environment={**ARMED, "FAILPOINT": "after_receipt_commit"}, port=port)) as dying:
        assert until(lambda: post_status(clinic.company.account, "SIM1", "delivered")) == "no answer"
        until(lambda: dying.exitcode is not None)
        assert dying.exitcode == DIED
    with child(serve, Setup(port=port)):
        assert until(lambda: post_status(clinic.company.account, "SIM1", "delivered")) == 204
    with tenant_scope(clinic.company.tenant.id):
        assert DeliveryReceipt.objects.count() == 1


@pytest.mark.parametrize("environment", [{"FAILPOINT": "after_claim"}, ARMED, {**ARMED, "FAILPOINT": "elsewhere"}])
def test_failpoints_do_nothing_unless_armed_and_named(clinic: World, environment: dict[str, str]) -> None:
    clinic.queue(PEOPLE)
    with child(work, Setup(environment=environment)):
        clinic.let_run(lambda: clinic.settled([ACCEPTED]))
    assert clinic.taken() == dict.fromkeys(PEOPLE, 1)
