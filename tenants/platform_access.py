"""How a platform admin gets to a tenant's data: they choose the tenant first, and the tenant can read what they looked at.

All of it runs in the chosen tenant's scope, so nothing of another tenant can appear, and writes an entry that is marked
as the platform's into that tenant's audit log, in the transaction that reads the data.
"""

from datetime import timedelta
from typing import Final, cast
from uuid import UUID

from django.db.models import Model
from django.http import HttpRequest
from django.utils.timezone import now

from common.client_address import client_address
from common.ids import first_id
from tenants.audit import Actor, current_actor, record
from tenants.models import AuditEntry, Tenant, User

__all__ = ["LISTED_AGAIN_AFTER", "choose_tenant", "chosen_tenant", "note_listed", "note_viewed", "platform_actor"]

LISTED_AGAIN_AFTER: Final = timedelta(hours=1)
"""Looking at the same kind of list again within this time is told once."""
_SESSION_KEY: Final = "platform_tenant_id"


def platform_actor(request: HttpRequest) -> Actor:
    """The platform admin who asks."""
    user = cast(User, request.user)
    return Actor(
        str(user),
        user.id,
        client_address(request) or None,
        by_platform=True,
        session_key=request.session.session_key,
    )


def choose_tenant(request: HttpRequest, tenant: Tenant) -> None:
    """Work on this tenant's data until another one is chosen or the session ends."""
    request.session[_SESSION_KEY] = str(tenant.id)


def chosen_tenant(request: HttpRequest) -> Tenant | None:
    """The tenant whose data this admin works on."""
    chosen = request.session.get(_SESSION_KEY)
    return Tenant.objects.filter(id=UUID(chosen)).first() if chosen else None


def note_listed(kind: str) -> None:
    """The current actor, a platform admin, sees a list of the active tenant's things of a kind, such as "messages"."""
    lately = AuditEntry.objects.filter(
        actor_id=current_actor().user_id,
        id__gte=first_id(now() - LISTED_AGAIN_AFTER),
        action="platform.listed",
        target_name=kind,
    )
    if not lately.exists():
        record("platform.listed", target_name=kind)


def note_viewed(thing: Model) -> None:
    """The current actor, a platform admin, sees one thing of the active tenant."""
    record("platform.viewed", target=thing, target_name="")
