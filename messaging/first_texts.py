"""The first text to a person says who it is from and how to end it, whatever else is left to choice.

So they know whom they agreed to (CTIA Messaging Principles 5.1.2.1), and where the law asks for it, that they may object
(GDPR art. 21(4): at the latest with the first message). Codes are not such texts, and neither is the answer to somebody
who wrote first.
"""

from collections.abc import Collection
from typing import Any, Final

from django.db import connection

from messaging.footers import final_text
from messaging.merge_tags import names
from messaging.models import Message
from tenants.scope import current_tenant_id

__all__ = ["BRAND_TAG", "as_first", "newcomers"]

BRAND_TAG: Final = "brand"

_Status = Message.Status
_WENT: Final = (
    _Status.SUBMITTING,
    _Status.ACCEPTED,
    _Status.SENT,
    _Status.DELIVERED,
    _Status.UNKNOWN,
    _Status.UNCONFIRMED,
)
"""What may have reached the phone."""

_TEXTED: Final = """
SELECT wanted.number FROM unnest(%(numbers)s::text[]) AS wanted(number)
CROSS JOIN LATERAL (
    SELECT FROM messaging_message m
    WHERE m.tenant_id = %(tenant)s AND m.number = wanted.number AND m.status = ANY(%(went)s)
    LIMIT 1
) AS text
"""


def as_first(body: str, brand: str, *, one_way: bool = False) -> str:
    """The text as somebody gets it who never got one: with the brand in front and the way out at the end, each unless
    the text says it already. Merge tags may be filled or not."""
    named = BRAND_TAG in names(body) or brand.casefold() in body.casefold()
    return final_text(body if named else f"{brand}: {body}", footer=True, one_way=one_way)


def newcomers(numbers: Collection[str]) -> set[str]:
    """Those of the numbers to which no text of the tenant went yet, in one query."""
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "numbers": sorted(set(numbers)),
        "went": [status.value for status in _WENT],
    }
    with connection.cursor() as cursor:
        cursor.execute(_TEXTED, values)
        return set(numbers) - {number for (number,) in cursor.fetchall()}
