"""Who may look at the virtual phones.

They belong to the people, not to a tenant, so they need no membership. They exist only while the simulator is on,
and answer nobody but this machine itself unless the viewer is a platform admin.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from redis.exceptions import RedisError

from common.client_address import from_this_machine
from tenants.access import public_view

__all__ = ["phone_view"]

P = ParamSpec("P")


def phone_view(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page of the phones; 404 for everybody else, 503 while their texts cannot be read."""

    def run(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not settings.SIMULATOR_ENABLED or not (
            from_this_machine(request) or getattr(request.user, "is_staff", False)
        ):
            raise Http404
        try:
            return view(request, *args, **kwargs)
        except RedisError:
            # Their texts are nowhere else.
            text = "The simulated phones cannot be reached. Start Redis, or start the product again."
            return HttpResponse(text, status=503, content_type="text/plain")

    return public_view("the people of the simulated phone network have no account; local or platform admin only")(
        update_wrapper(run, view)
    )
