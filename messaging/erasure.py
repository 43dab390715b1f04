"""Erasing people from messages: texts and raw callbacks go, figures stay."""

from typing import Final

from django.db import connection
from django.db.models.functions import Coalesce, Now

from contacts.erasure import People
from messaging.models import InboundMessage, Message, RecoveredText
from tenants.scope import current_tenant_id

__all__ = ["erase_texts"]

_EMPTY_RECEIPTS: Final = """
UPDATE messaging_deliveryreceipt r SET payload = '{}'
FROM messaging_attempt a
WHERE a.tenant_id = %(tenant)s AND a.message_id = ANY(%(messages)s::uuid[])
  AND r.tenant_id = a.tenant_id AND r.provider_account_id = a.provider_account_id
  AND r.provider_message_id = a.provider_message_id AND a.provider_message_id <> ''
"""


def erase_texts(people: People) -> None:
    """Empty what was written to and by these people.

    A message without a text is never handed over: the gate says why (``person_is_not_erased``). Incoming texts lose
    their number too, and no handler gets one that still waited.
    """
    messages = Message.objects.filter(number__in=people.numbers)
    # Locked in the order of their ids, as by everybody who changes many.
    ids = list(messages.select_for_update(of=("self",)).order_by("id").values_list("id", flat=True))
    Message.objects.filter(id__in=ids).update(body="")
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY_RECEIPTS, {"tenant": current_tenant_id(), "messages": ids})
    InboundMessage.objects.filter(number__in=people.numbers).update(
        number="", body="", payload={}, contact=None, handled_at=Coalesce("handled_at", Now())
    )
    RecoveredText.objects.filter(number__in=people.numbers).delete()
