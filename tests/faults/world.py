"""What the tests of faults have in common: a clinic that texts through a provider with a record, and passing time."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.db.models import F

from common.lanes import MARKETING
from consent.ledger import OptIn, record_opt_ins
from messaging.models import Attempt, Batch, Message, ProviderAccount, Sender
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.services import add_provider_account, add_sender
from smsplatform.schedule import SCHEDULE
from tenants.scope import all_tenants, tenant_scope
from tests.cast import FAST, Company
from tests.faults.children import until
from tests.twilio_server import TwilioServer, twilio_server

__all__ = ["LONG", "World", "numbers", "tick", "world"]

SID = "AC" + "a" * 32
LONG = timedelta(minutes=12)
"""Longer than leases, deadlines and the time after which the provider's record counts as complete."""
TICKS = (
    "messaging.sweep",
    "messaging.reconcile",
    "messaging.apply_receipts",
    "messaging.sweep_inbound",
    "messaging.wake_lanes",
    "campaigns.run_due",
    "contacts.resume_imports",
)
"""What beat asks for."""


def numbers(count: int) -> list[str]:
    """Numbers that are nobody's."""
    return [f"+1202555{1000 + n:04d}" for n in range(count)]


def tick(*names: str) -> None:
    """One round of beat, with its options."""
    options = {entry["task"]: entry["options"] for entry in SCHEDULE.values()}
    for name in names or TICKS:
        current_app.tasks[name].apply_async(**options[name])


@dataclass(frozen=True)
class World:
    """A tenant, its number at the provider, and the provider's own record."""

    company: Company
    sender: Sender
    provider: TwilioServer

    def queue(self, people: Sequence[str], *, lane: str = MARKETING, hint: bool = True) -> UUID:
        """Texts that may go, as one batch."""
        cause = Cause("campaign", lane, "marketing", id=self.company.tenant.id, sender_id=self.sender.id)
        with tenant_scope(self.company.tenant.id):
            record_opt_ins([OptIn(one, "marketing", "web_form") for one in people], actor_id=None)
            batch, _ = enqueue([Draft(one, "Hello") for one in people], cause)
        if hint:
            self.hint(lane)
        return batch.id

    @staticmethod
    def hint(lane: str = MARKETING) -> None:
        """Wake a worker."""
        current_app.send_task("messaging.dispatch", args=(lane,), queue=lane)

    def taken(self) -> Counter[str]:
        """How many texts the provider has for each number."""
        return Counter(str(message["to"]) for message in self.provider.messages)

    def outcomes(self) -> Counter[tuple[str, str]]:
        """Messages by status and error code."""
        with tenant_scope(self.company.tenant.id):
            return Counter(Message.objects.values_list("status", "error_code"))

    def live_attempts(self) -> Counter[UUID]:
        """Attempts that may have reached the provider, by message."""
        with tenant_scope(self.company.tenant.id):
            return Counter(Attempt.objects.filter(state__in=Attempt.LIVE).values_list("message_id", flat=True))

    def tries(self) -> int:
        """Attempts so far."""
        with tenant_scope(self.company.tenant.id):
            return Attempt.objects.count()

    def waiting(self) -> bool:
        """Whether every message waits for another try."""
        return {status for status, _ in self.outcomes()} == {"queued"}

    def settled(self, expected: Collection[tuple[str, str]] | None = None) -> bool:
        """Whether nothing moves any more; with ``expected``, whether all ended like that."""
        found = set(self.outcomes())
        under_way = {"queued", "submitting", "unknown"}
        return found <= set(expected) if expected is not None else not any(status in under_way for status, _ in found)

    def time_passes(self, by: timedelta = LONG) -> None:
        """Everything that was there is so much older."""
        with all_tenants("test"):
            Batch.objects.filter(state="leased").update(leased_until=F("leased_until") - by)
            Batch.objects.filter(state="queued").update(not_before=F("not_before") - by)
            Attempt.objects.update(created_at=F("created_at") - by, deadline=F("deadline") - by, asked_at=None)
            broken = ProviderAccount.objects.exclude(broken_since=None)
            broken.update(broken_since=F("broken_since") - by, probe_at=F("probe_at") - by)
        self.provider.grow_older(by)

    def let_run(self, done: Callable[[], Any]) -> None:
        """Beat ticks until it is done."""
        until(done, meanwhile=tick)


@contextmanager
def world(settings: Any, company: Company) -> Iterator[World]:
    """The company with a number at Twilio, which answers on loopback."""
    with tenant_scope(company.tenant.id):
        account = add_provider_account(
            kind="twilio", name="Twilio", credentials={"account_sid": SID, "auth_token": "t" * 32}
        )
        sender = add_sender(tenant=company.tenant, account=account, value="+12025550180", kind="long_code")
        Sender.objects.filter(id=sender.id).update(parts_per_second=FAST)
    with twilio_server(settings, SID) as provider:
        yield World(company, sender, provider)
