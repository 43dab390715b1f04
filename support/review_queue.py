"""Texts that may ask to stop, one after the other: the longest waiting first, decided with one key each."""

from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET

from common.ids import id_in
from contacts.models import Contact
from support.models import Conversation
from support.thread import thread
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["review_queue"]

TEXTS: Final = 6
"""Enough to see what the person answers to."""
COUNTED: Final = 100


@tenant_view(Permission.EDIT_CONTACTS)
@require_GET
def review_queue(request: TenantRequest) -> HttpResponse:
    """The next one; ``?after=`` a conversation that somebody would rather look at later."""
    waiting = Conversation.objects.filter(needs_review=True).order_by("last_at", "id")
    left = waiting[: COUNTED + 1].count()
    found = _next(list(waiting.values_list("id", flat=True)[: COUNTED + 1]), id_in(request.GET.get("after")))
    context: dict[str, object] = {"conversation": None, "left": left, "counted": COUNTED}
    if found is not None:
        conversation = Conversation.objects.get(id=found)
        context |= {
            "conversation": conversation,
            "contact": Contact.objects.by_number(conversation.number).first(),
            "thread": thread(conversation.number, limit=TEXTS),
        }
    return TemplateResponse(request, "support/review_queue.html", context)


def _next(waiting: list[UUID], after: UUID | None) -> UUID | None:
    """The one that follows; after the last comes the first again."""
    if not waiting:
        return None
    return waiting[(waiting.index(after) + 1) % len(waiting)] if after in waiting else waiting[0]
