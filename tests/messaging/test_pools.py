"""Pools of senders: who texts whom, and who stands in when one cannot."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from django.conf import settings as configured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns import services
from campaigns.launch import plan_campaign
from common.lanes import CONVERSATION, MARKETING, TRANSACTIONAL
from common.planner import refresh_statistics
from consent.ledger import OptIn, record_opt_ins
from messaging.models import Attempt, Batch, InboundMessage, Message, ProviderAccount, Sender, SenderPool
from messaging.pipeline import handover, results
from messaging.pipeline.absent import settle_absent
from messaging.pipeline.carrier import PATIENCE
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.routing import pools
from messaging.routing.pools import choose_senders
from messaging.services import (
    add_provider_account,
    add_sender,
    make_default_pool,
    save_pool,
    set_account_status,
    set_sender_status,
)
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, Company
from tests.network import answering

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = [f"+1202555{n:04d}" for n in range(40)]


@dataclass
class Network:
    """A provider's record of texts, as (from, to); who is named in ``silent`` gets no answer, though the text is taken."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)

    def senders_of(self, number: str) -> list[str]:
        return [sender for sender, to in self.texts if to == number]


@dataclass
class Pooled:
    """A clinic with a number at each of two accounts, in one pool."""

    company: Company
    pool: SenderPool
    one: Sender
    two: Sender
    network: Network


@contextmanager
def recording(settings: Any) -> Iterator[Network]:
    network = Network()

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = json.loads(await request.read())
        network.texts.append((asked["from"], asked["to"]))
        if asked["from"] in network.silent:
            request.transport.close()  # type: ignore[union-attr]
        return web.json_response({"id": f"SIM{len(network.texts)}"}, status=201)

    with answering(handle) as address:
        settings.SIMULATOR_URL = address
        handover._lines.clear()
        yield network
        handover._lines.clear()


@pytest.fixture
def clinic(committed_cast: Cast, settings: Any) -> Iterator[Pooled]:
    company = committed_cast.clinic
    with tenant_scope(company.tenant.id):
        account = add_provider_account(
            kind="simulator", name="Second", credentials={"secret": configured.SIMULATOR_SECRET}
        )
        two = add_sender(tenant=company.tenant, account=account, value="+14155550123", kind="long_code")
        pool = save_pool(name="Local numbers", senders=[company.sender, two])
    with recording(settings) as network:
        yield Pooled(company, pool, company.sender, two, network)


def queue(
    world: Pooled, numbers: list[str], *, lane: str = MARKETING, sender: Sender | None = None, pooled: bool = True
) -> None:
    with tenant_scope(world.company.tenant.id):
        record_opt_ins([OptIn(one, "marketing", "web_form") for one in numbers], actor_id=None)
        sender = sender or world.one
        route = {"route": {"sender": str(sender.id), "why": "spread"}} if pooled else {}
        cause = Cause("campaign", lane, "marketing", sender_id=sender.id, pool_id=world.pool.id if pooled else None)
        enqueue([Draft(one, f"Hello {Batch.objects.count()}", decision=route) for one in numbers], cause)


def run(world: Pooled, lane: str = MARKETING, *, after: timedelta = timedelta()) -> None:
    with tenant_scope(world.company.tenant.id):
        Batch.objects.filter(state="queued").update(not_before=timezone.now())
        if after:
            Batch.objects.exclude(away_since=None).update(away_since=timezone.now() - after)
    run_next_batch(lane)


def messages(world: Pooled) -> dict[str, Message]:
    with tenant_scope(world.company.tenant.id):
        return {one.number: one for one in Message.objects.select_related("sender")}


def choices(world: Pooled, numbers: list[str]) -> dict[str, tuple[str, str]]:
    with tenant_scope(world.company.tenant.id):
        members = list(Sender.objects.filter(pool=world.pool).select_related("provider_account"))
        usable = [one for one in members if one.status == "active"]
        names = {one.id: one.value for one in members}
        chosen = choose_senders(numbers, usable, members)
        return {number: (names[choice.sender_id], choice.why) for number, choice in chosen.items()}


def test_a_campaign_is_planned_in_batches_of_one_sender_each(clinic: Pooled) -> None:
    people = [*PEOPLE[:10], *(f"+1415555{n:04d}" for n in range(10)), *(f"+1303555{n:04d}" for n in range(20))]
    draft = make_draft(clinic.company, make_list(clinic.company, people), pool=clinic.pool)
    with tenant_scope(clinic.company.tenant.id):
        services.launch(campaign=draft)
    plan_campaign(clinic.company.tenant.id, draft.id)
    while run_next_batch(MARKETING):
        pass
    sent = messages(clinic)
    assert {one.status for one in sent.values()} == {"accepted"}
    assert {sent[n].sender_id for n in people[:10]} == {clinic.one.id}
    assert {sent[n].sender_id for n in people[10:20]} == {clinic.two.id}
    assert {sent[n].sender_id for n in people[20:]} == {clinic.one.id, clinic.two.id}
    assert [sent[n].decision["route"]["why"] for n in (people[0], people[30])] == ["area", "spread"]
    assert sent[people[0]].decision["rule"] == "all_rules_passed"
    with tenant_scope(clinic.company.tenant.id):
        assert Batch.objects.count() == 2
        assert all(set(one.tally) == {"accepted"} for one in Batch.objects.all())
    assert len(clinic.network.texts) == 40


def test_the_last_one_who_texted_with_a_person_does_so_again(clinic: Pooled) -> None:
    far = "+14155550199"
    queue(clinic, [far], sender=clinic.one)
    run(clinic)
    assert choices(clinic, [far]) == {far: (clinic.one.value, "sticky")}
    with tenant_scope(clinic.company.tenant.id):
        InboundMessage.objects.create(
            provider_account=clinic.two.provider_account,
            provider_message_id="in",
            sender=clinic.two,
            number=far,
            body="?",
        )
    assert choices(clinic, [far]) == {far: (clinic.two.value, "sticky")}
    with tenant_scope(clinic.company.tenant.id):
        set_sender_status(sender=clinic.two, active=False)
    assert choices(clinic, [far]) == {far: (clinic.one.value, "failover")}


def test_who_stood_in_is_not_the_persons_sender(clinic: Pooled) -> None:
    queue(clinic, [PEOPLE[0]])
    run(clinic)
    with tenant_scope(clinic.company.tenant.id):
        set_sender_status(sender=clinic.one, active=False)
    queue(clinic, [PEOPLE[0]], lane=TRANSACTIONAL)
    run(clinic, TRANSACTIONAL)
    assert clinic.network.senders_of(PEOPLE[0]) == [clinic.one.value, clinic.two.value]
    with tenant_scope(clinic.company.tenant.id):
        clinic.one.refresh_from_db()
        set_sender_status(sender=clinic.one, active=True)
    assert choices(clinic, [PEOPLE[0]]) == {PEOPLE[0]: (clinic.one.value, "sticky")}


def test_the_choice_costs_the_same_for_many(clinic: Pooled) -> None:
    with tenant_scope(clinic.company.tenant.id):
        members = list(Sender.objects.select_related("provider_account"))
        for count in (1, 40):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                choose_senders(PEOPLE[:count], members, members)
            assert len(asked) == 1


def test_the_choice_looks_each_number_up_by_index(clinic: Pooled) -> None:
    """Also among many texts: a campaign of a million asks two thousand times for five hundred numbers."""
    people = [f"+1303{n:07d}" for n in range(6_000)]
    with tenant_scope(clinic.company.tenant.id):
        for start in range(0, len(people), 500):
            some = people[start : start + 500]
            enqueue([Draft(one, "Hello") for one in some], Cause("campaign", MARKETING, "marketing", held=True))
        refresh_statistics(Message, InboundMessage)
        parameters = {
            "tenant": clinic.company.tenant.id,
            "numbers": people[:500],
            "senders": [clinic.one.id, clinic.two.id],
            "taken": ["accepted"],
            "failover": "failover",
        }
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {pools._LAST}", parameters)
            (plan,) = cursor.fetchone()[0]
    assert "message_thread" in json.dumps(plan)
    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 500 * 12


def _pause_sender(world: Pooled) -> None:
    set_sender_status(sender=world.one, active=False)


def _pause_account(world: Pooled) -> None:
    set_account_status(account=world.one.provider_account, active=False)


def _hold(world: Pooled) -> None:
    Sender.objects.filter(id=world.one.id).update(held_until=timezone.now() + timedelta(hours=3))


def _lose_secret(world: Pooled) -> None:
    ProviderAccount.objects.filter(id=world.one.provider_account_id).update(encrypted_credentials=b"unreadable")


AWAY: list[Callable[[Pooled], None]] = [_pause_sender, _pause_account, _hold, _lose_secret]


@pytest.mark.parametrize("leave", AWAY)
def test_urgent_texts_go_by_another_sender_at_once(clinic: Pooled, leave: Callable[[Pooled], None]) -> None:
    queue(clinic, PEOPLE[:3], lane=TRANSACTIONAL)
    with tenant_scope(clinic.company.tenant.id):
        leave(clinic)
    run(clinic, TRANSACTIONAL)
    assert {sender for sender, _ in clinic.network.texts} == {clinic.two.value}
    for one in messages(clinic).values():
        assert one.sender_id == clinic.two.id
        assert one.decision["route"] == {
            "sender": str(clinic.two.id), "why": "failover", "instead_of": str(clinic.one.id),
        }  # fmt: skip


@pytest.mark.parametrize("leave", AWAY)
def test_offers_wait_a_little_for_their_own_sender(clinic: Pooled, leave: Callable[[Pooled], None]) -> None:
    queue(clinic, PEOPLE[:3])
    with tenant_scope(clinic.company.tenant.id):
        leave(clinic)
    run(clinic)
    run(clinic, after=PATIENCE - timedelta(seconds=20))
    assert clinic.network.texts == []
    run(clinic, after=PATIENCE)
    assert {sender for sender, _ in clinic.network.texts} == {clinic.two.value}


@pytest.mark.parametrize("lane", [MARKETING, TRANSACTIONAL, CONVERSATION])
def test_a_named_sender_is_never_exchanged(clinic: Pooled, lane: str) -> None:
    queue(clinic, PEOPLE[:3], lane=lane, pooled=False)
    with tenant_scope(clinic.company.tenant.id):
        _pause_sender(clinic)
    run(clinic, lane)
    run(clinic, lane, after=timedelta(hours=1))
    assert clinic.network.texts == []
    assert {one.status for one in messages(clinic).values()} == {"queued"}


def test_when_nobody_is_left_all_wait(clinic: Pooled) -> None:
    queue(clinic, PEOPLE[:3], lane=TRANSACTIONAL)
    with tenant_scope(clinic.company.tenant.id):
        _pause_sender(clinic)
        set_sender_status(sender=clinic.two, active=False)
    run(clinic, TRANSACTIONAL)
    assert {one.status for one in messages(clinic).values()} == {"queued"}


def test_the_usual_pool_carries_what_names_no_sender(clinic: Pooled) -> None:
    with tenant_scope(clinic.company.tenant.id):
        make_default_pool(pool=clinic.pool)
        record_opt_ins([OptIn("+14155550177", "marketing", "web_form")], actor_id=None)
        enqueue([Draft("+14155550177", "Hello")], Cause("reply", CONVERSATION, "marketing"))
    run(clinic, CONVERSATION)
    (sent,) = messages(clinic).values()
    assert (sent.sender_id, sent.decision["route"]["why"]) == (clinic.two.id, "area")


def lose_the_answer(world: Pooled) -> None:
    """The provider takes two texts of the first account and its answers are lost; then the account is paused."""
    world.network.silent.add(world.one.value)
    queue(world, PEOPLE[:2], lane=TRANSACTIONAL)
    run(world, TRANSACTIONAL)
    with tenant_scope(world.company.tenant.id):
        _pause_account(world)
    for _ in range(3):
        run(world, TRANSACTIONAL)


@pytest.mark.fault("F04")
def test_a_text_in_doubt_goes_nowhere_else(clinic: Pooled) -> None:
    lose_the_answer(clinic)
    assert {one.status for one in messages(clinic).values()} == {"unknown"}
    assert [clinic.network.senders_of(n) for n in PEOPLE[:2]] == [[clinic.one.value]] * 2


@pytest.mark.counterproof("F04")
def test_the_guard_is_what_keeps_it_from_going_twice(clinic: Pooled, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter-proof: who takes a lost answer for a refusal sends it again, by the other account."""
    monkeypatch.setitem(results._MESSAGE_STATUS, results.Outcome.UNKNOWN, Message.Status.QUEUED)
    monkeypatch.setitem(results._ATTEMPT_STATE, results.Outcome.UNKNOWN, Attempt.State.REJECTED.value)
    lose_the_answer(clinic)
    assert [clinic.network.senders_of(n) for n in PEOPLE[:2]] == [[clinic.one.value, clinic.two.value]] * 2


def test_a_live_attempt_keeps_a_waiting_text_from_moving(clinic: Pooled, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when its status alone would let it go."""
    monkeypatch.setitem(results._MESSAGE_STATUS, results.Outcome.UNKNOWN, Message.Status.QUEUED)
    lose_the_answer(clinic)
    assert [clinic.network.senders_of(n) for n in PEOPLE[:2]] == [[clinic.one.value]] * 2


def test_what_never_arrived_may_go_by_another_account(clinic: Pooled) -> None:
    lose_the_answer(clinic)
    with tenant_scope(clinic.company.tenant.id):
        settle_absent(list(Attempt.objects.values_list("id", flat=True)))
    run(clinic, TRANSACTIONAL)
    assert [clinic.network.senders_of(n) for n in PEOPLE[:2]] == [[clinic.one.value, clinic.two.value]] * 2
    assert {one.decision["route"]["why"] for one in messages(clinic).values()} == {"failover"}
