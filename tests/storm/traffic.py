"""What the tenants and their people do while the storm goes on: campaigns, single texts, STOPs.

Runs as a process of its own that is never hit. Each act has an id and is repeated until its answer is known, as a
client with an idempotency key would; what was acknowledged is written down for the judge.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from campaigns import services
from campaigns.models import Campaign
from common.ids import uuid7
from common.lanes import CONVERSATION, REMINDER, TRANSACTIONAL, VERIFICATION
from consent.ledger import OptIn, record_opt_ins
from contacts.models import Contact, ContactList, ListMember
from messaging.models import Message, ProviderAccount, Sender
from messaging.offered_tags import known_tags
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.services import add_provider_account, add_sender, wake
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tenants.services import create_tenant
from tests.faults.carrier import post_inbound
from tests.storm.plan import Options

__all__ = ["TENANTS", "prepare", "send"]

TENANTS: Final = 3
LANES: Final[Mapping[str, str]] = {
    VERIFICATION: "verification",
    CONVERSATION: "transactional",
    TRANSACTIONAL: "transactional",
    REMINDER: "transactional",
}
SINGLE_SHARE: Final = 0.15
STOP_SHARE: Final = 0.04
CAMPAIGN_SECONDS: Final = 4.0
IN_FLIGHT: Final = 8
"""Few enough that a batch takes seconds, and is hit in its middle."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody does."""

    at: float
    what: str
    tenant: int
    lane: str = ""
    number: str = ""
    campaign: str = ""


def numbers_of(tenant: int, count: int) -> list[str]:
    """Numbers of a tenant's people; their last two digits are how their phones behave."""
    areas = ("202", "212", "303", "312", "404", "415", "503", "512", "602")[tenant * 3 : tenant * 3 + 3]
    return [f"+1{areas[n // 10_000]}555{n % 10_000:04d}" for n in range(count)]


def prepare(home: Path, options: Options) -> None:
    """The tenants with their people, lists and drafts, before anything is hit."""
    chance = random.Random(options.seed)
    campaigns = max(TENANTS, round(options.seconds / CAMPAIGN_SECONDS))
    size = round(options.messages * (1 - SINGLE_SHARE) / campaigns)
    per_tenant = [len(range(n, campaigns, TENANTS)) for n in range(TENANTS)]
    acts: list[Act] = []
    for n in range(TENANTS):
        numbers = numbers_of(n, per_tenant[n] * size + round(options.messages * SINGLE_SHARE / TENANTS))
        tenant = _tenant(n)
        with tenant_scope(tenant.id, durable=True):
            _people(numbers)
            for c in range(per_tenant[n]):
                draft = _draft(f"Storm {c}", numbers[c * size : (c + 1) * size])
                acts.append(Act(chance.uniform(0, options.seconds * 0.9), "campaign", n, campaign=str(draft.id)))
        for number in numbers[per_tenant[n] * size :]:
            lane = chance.choice(list(LANES))
            acts.append(Act(chance.uniform(0, options.seconds), "text", n, lane=lane, number=number))
        stopping = chance.sample(numbers, round(len(numbers) * STOP_SHARE))
        acts += [Act(chance.uniform(0, options.seconds), "stop", n, number=number) for number in stopping]
    acts.sort(key=lambda act: act.at)
    (home / "acts.json").write_text(json.dumps([_as_json(act) for act in acts]))


def _as_json(act: Act) -> dict[str, Any]:
    return {name: getattr(act, name) for name in Act.__slots__}


def _tenant(n: int) -> Tenant:
    tenant, _ = create_tenant(name=f"Storm {n}", owner_email=f"owner{n}@storm.example")
    with tenant_scope(tenant.id):
        account = add_provider_account(
            kind="simulator", name="Simulator", credentials={"secret": settings.SIMULATOR_SECRET}
        )
        ProviderAccount.objects.filter(id=account.id).update(max_in_flight=IN_FLIGHT)
        add_sender(tenant=tenant, account=account, value=f"+1202555019{n}", kind="long_code")
    return tenant


def _people(numbers: list[str]) -> None:
    Contact.objects.bulk_create(Contact(number=number) for number in numbers)
    for purpose in ("marketing", "transactional"):
        record_opt_ins([OptIn(number, purpose, "web_form") for number in numbers], actor_id=None)


def _draft(name: str, numbers: list[str]) -> Campaign:
    people = ContactList.objects.create(name=name)
    contacts = Contact.objects.filter(number__in=numbers)
    ListMember.objects.bulk_create(ListMember(contact_list=people, contact=contact) for contact in contacts)
    campaign = Campaign(name=name, body=f"{name} weather")
    services.save_draft(campaign=campaign, known_tags=set(known_tags()))
    services.choose_audience(campaign=campaign, lists=[people], tags=[])
    return campaign


# --- During the storm ---------------------------------------------------------------------------------------------


def send(home: Path) -> None:
    """Act after act, each at its time or as soon after it as the ones before allow."""
    acts = [Act(**one) for one in json.loads((home / "acts.json").read_text())]
    tenants = list(Tenant.objects.order_by("name"))
    began = time.monotonic()
    with (home / "acts.jsonl").open("a", buffering=1) as log:
        for n, act in enumerate(acts):
            time.sleep(max(0.0, began + act.at - time.monotonic()))
            done = {"campaign": _launch, "text": _text, "stop": _stop}[act.what](tenants[act.tenant], act, n)
            log.write(json.dumps({"what": act.what, "tenant": str(tenants[act.tenant].id), **done}) + "\n")


def _launch(tenant: Tenant, act: Act, _: int) -> dict[str, Any]:
    def launch() -> None:
        with tenant_scope(tenant.id, durable=True):
            campaign = Campaign.objects.get(id=act.campaign)
            if campaign.status == Campaign.Status.DRAFT:
                services.launch(campaign=campaign)

    _insist(launch)
    return {"campaign": act.campaign}


def _text(tenant: Tenant, act: Act, _: int) -> dict[str, Any]:
    message_id = uuid7()

    def write() -> None:
        with tenant_scope(tenant.id, durable=True):
            if not Message.objects.filter(id=message_id).exists():
                _enqueue(message_id, act)

    _insist(write)
    return {"message": str(message_id)}


def _enqueue(message_id: UUID, act: Act) -> None:
    cause = Cause("single", act.lane, LANES[act.lane])
    enqueue([Draft(act.number, "A word", id=message_id)], cause)
    wake(act.lane)


def _stop(tenant: Tenant, act: Act, n: int) -> dict[str, Any]:
    """The carrier repeats it until it is taken; only then does it count."""

    def accounts() -> tuple[ProviderAccount, str]:
        with tenant_scope(tenant.id, durable=True):
            return ProviderAccount.objects.get(), Sender.objects.get().value

    account, sender = _insist(accounts)
    for _ in _tries():
        if post_inbound(account, act.number, sender, "STOP", name=f"STORM{n}") == 204:
            return {"number": act.number, "at": time.time()}
    raise TimeoutError("a STOP was never taken")


def _insist(work: Callable[[], Any]) -> Any:
    for _ in _tries():
        try:
            return work()
        except (DatabaseError, InterfaceError):
            connection.close()
    raise TimeoutError("the database never came back")


def _tries(seconds: float = 120.0) -> Iterator[None]:
    until, pause = time.monotonic() + seconds, 0.05
    while time.monotonic() < until:
        yield
        time.sleep(pause)
        pause = min(2 * pause, 1.0)
