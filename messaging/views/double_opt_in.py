"""Settings: which agreements to offers are to be confirmed."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from consent.double_opt_in import set_double_opt_in, wanted
from messaging.auto_replies import text_of
from messaging.double_opt_in_form import DoubleOptInForm
from messaging.pipeline.confirmations import REQUEST
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["double_opt_in"]


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def double_opt_in(request: TenantRequest) -> HttpResponse:
    """Choose which agreements wait for a YES, and see the text that asks for it."""
    form = DoubleOptInForm(request.POST if request.method == "POST" else None, wanted=wanted())
    if form.is_valid():
        set_double_opt_in(doors=form.cleaned_data["doors"], days=form.cleaned_data["days"])
        messages.success(request, "Changed. It holds for agreements that come in from now on.")
        return redirect("compliance")
    context = {"form": form, "question": text_of(REQUEST, request.tenant, "en")}
    return TemplateResponse(request, "messaging/double_opt_in.html", context, status=422 if form.is_bound else 200)
