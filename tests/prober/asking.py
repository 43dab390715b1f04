"""Who asks, and how: requests through all of the middleware, without the test client's copies of templates."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponseBase
from django.test import Client

from tenants.access import SESSION_TENANT
from tenants.models import User
from tenants.permissions import Role
from tests.prober.world import RESTRICTED, Side, World
from tests.web import confirm

__all__ = ["NOBODY", "STRANGER", "Actor", "actors_of", "signed_in"]

STRANGER: Final = "the other tenant's owner"
NOBODY: Final = "nobody"


class _Caller(Client):
    """The test client without what it records of each rendered template, which costs more than the page itself."""

    def request(self, **request: Any) -> Any:
        return self.handler(self._base_environ(**request))


@dataclass(frozen=True)
class Actor:
    """Somebody who asks. ``side`` is the tenant they act in or try to; ``role`` is empty for who has none there."""

    name: str
    client: Client
    side: Side
    role: str = ""
    restricted: bool = False
    must_not_see: tuple[Side, ...] = ()
    knows: str = ""
    """What of the other tenant the person brings along: it may come back."""

    def __str__(self) -> str:
        return f"{self.name} at {self.side.letter}"

    def ask(self, method: str, url: str, **data: Any) -> HttpResponseBase:
        """The answer, after the whole of it was read."""
        answer: HttpResponseBase = self.client.generic(method, url, **data)
        return answer


def signed_in(user: User, tenant_id: object) -> Client:
    """A browser in which ``user`` works in a tenant."""
    client = _Caller(raise_request_exception=False)
    client.force_login(user)
    session = client.session
    session[SESSION_TENANT] = str(tenant_id)
    session.save()
    # They entered their password just now, so that no page asks for it again.
    confirm(client, user)
    return client


def actors_of(world: World, side: Side) -> list[Actor]:
    """Everybody who may try something at one of the tenants: its own people, the other tenant's, and nobody at all."""
    other = world.other(side)
    people = [
        Actor(role, signed_in(side.people[role], side.tenant.id), side, role, must_not_see=(other,))
        for role in Role.values
    ]
    restricted = signed_in(side.people[RESTRICTED], side.tenant.id)
    people.append(Actor(RESTRICTED, restricted, side, Role.AGENT, must_not_see=(other,), restricted=True))
    # Their session names a tenant in which they are nobody.
    intruder = Actor(
        STRANGER, signed_in(other.owner, side.tenant.id), side, must_not_see=(side,), knows=str(side.tenant.id)
    )
    return [*people, intruder, Actor(NOBODY, _Caller(raise_request_exception=False), side, must_not_see=(side, other))]
