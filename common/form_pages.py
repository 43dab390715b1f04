"""Addresses that only take a form."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

__all__ = ["form_of"]

AnyRequest = TypeVar("AnyRequest", bound=HttpRequest)
P = ParamSpec("P")
AnyResponse = TypeVar("AnyResponse", bound=HttpResponseBase)
FormView = Callable[Concatenate[AnyRequest, P], AnyResponse]


def form_of(
    page: str,
) -> Callable[[FormView[AnyRequest, P, AnyResponse]], FormView[AnyRequest, P, AnyResponse | HttpResponseRedirect]]:
    """The view takes a form; opened like a page it leads to ``page``, which has the same parts in its address.

    A form that comes back with errors leaves its own address in the browser, and people open that again.
    """

    def declare(
        view: FormView[AnyRequest, P, AnyResponse],
    ) -> FormView[AnyRequest, P, AnyResponse | HttpResponseRedirect]:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def run(request: AnyRequest, /, *args: P.args, **kwargs: P.kwargs) -> AnyResponse | HttpResponseRedirect:
            if request.method != "POST":
                return HttpResponseRedirect(reverse(page, args=args, kwargs=kwargs))
            return view(request, *args, **kwargs)

        return run

    return declare
