"""Passing incoming texts to the handlers named in ``INBOUND_HANDLERS``, in order, until one claims the text."""

from collections.abc import Callable
from datetime import timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from common.failpoints import failpoint
from contacts.services import note_wrote
from messaging.models import InboundMessage
from tenants.scope import all_tenants, tenant_scope

__all__ = ["Handler", "handle_inbound", "unhandled"]

Handler = Callable[[InboundMessage], bool]
"""Works on an incoming text inside the tenant's scope; True claims it."""


def handle_inbound(tenant_id: UUID, inbound_id: UUID) -> None:
    """Let the handlers work on a text, exactly once, all in one transaction."""
    with tenant_scope(tenant_id):
        inbound = (
            InboundMessage.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(id=inbound_id, handled_at=None)
            .first()
        )
        if inbound is None:
            return
        if inbound.contact_id:
            note_wrote(contact_id=inbound.contact_id, at=inbound.received_at)
        for path in settings.INBOUND_HANDLERS:
            if cast(Handler, import_string(path))(inbound):
                break
        failpoint("before_handled")
        inbound.handled_at = timezone.now()
        inbound.save(update_fields=["handled_at"])


def unhandled() -> list[tuple[UUID, UUID]]:
    """Texts that wait longer than a hint takes: (tenant, text)."""
    with all_tenants("find incoming texts that were not handled"):
        late = InboundMessage.objects.filter(handled_at=None, received_at__lt=timezone.now() - timedelta(seconds=10))
        return list(late.order_by("received_at").values_list("tenant_id", "id")[:200])
