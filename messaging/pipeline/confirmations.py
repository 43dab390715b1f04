"""The question of a double opt-in: whoever agreed to offers, and is to confirm that, gets one text that asks for a YES."""

from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from common.lanes import MARKETING
from common.retries import each
from consent.decision import ASKS_TO_CONFIRM
from consent.models import PendingOptIn, Suppression
from consent.purposes import Purpose
from contacts.models import Contact
from messaging.auto_replies import text_of
from messaging.pipeline.enqueue import MAX_BATCH, Cause, Draft, enqueue
from tenants.models import Tenant
from tenants.scope import all_tenants, tenant_scope

__all__ = ["CAUSE", "ask_to_confirm"]

CAUSE: Final = "opt_in_request"
REQUEST: Final = "opt_in_request"
"""The name of its words among the automatic texts."""


def ask_to_confirm() -> int:
    """Write the questions that nobody has been asked yet; returns how many. It wakes nobody: the ticker finds them."""
    with all_tenants("find agreements to be confirmed"):
        waiting = PendingOptIn.objects.filter(confirmed_at=None, asked_at=None)
        tenants = list(waiting.order_by().values_list("tenant_id", flat=True).distinct())
    asked = []

    def ask_all(tenant_id: UUID) -> None:
        while page := _ask_page(tenant_id):
            asked.append(page)

    each(tenants, ask_all, doing="ask for the YES of a double opt-in")
    return sum(asked)


def _ask_page(tenant_id: UUID) -> int:
    with tenant_scope(tenant_id, durable=True):
        tenant = Tenant.objects.get(id=tenant_id)
        if not tenant.may_send:
            return 0
        opted_out = Suppression.objects.filter(number=OuterRef("number"), lifted_at=None)
        rows = PendingOptIn.objects.filter(~Exists(opted_out), confirmed_at=None, asked_at=None).order_by("id")
        page = list(rows.select_for_update(of=("self",), skip_locked=True)[:MAX_BATCH])
        if page:
            _ask(tenant, page)
            PendingOptIn.objects.filter(id__in=[row.id for row in page]).update(asked_at=Now())
        return len(page)


def _ask(tenant: Tenant, page: list[PendingOptIn]) -> None:
    owners = Contact.objects.owners([row.number for row in page])
    drafts = []
    for row in page:
        contact = owners.get(row.number)
        body = text_of(REQUEST, tenant, contact.language if contact else None)
        drafts.append(Draft(row.number, body, contact.id if contact else None))
    enqueue(drafts, Cause(CAUSE, MARKETING, Purpose.MARKETING, exemption=ASKS_TO_CONFIRM))
