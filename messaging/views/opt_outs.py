"""Settings: what a STOP ends, and opting out a list of numbers."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from consent.opt_out_scope import chosen, set_rules
from messaging.auto_replies import text_of
from messaging.changed_list import BadLine, read_numbers
from messaging.numbers_forms import OptOutListForm
from messaging.opt_out_form import OptOutRulesForm
from messaging.services import opt_out_list
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["opt_out_numbers", "opt_out_rules"]

SHOWN_PROBLEMS = 50


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def opt_out_rules(request: TenantRequest) -> HttpResponse:
    """Choose what a STOP ends, and see the confirmation."""
    known = chosen()
    form = OptOutRulesForm(request.POST if request.method == "POST" else None, chosen=known)
    if form.is_valid():
        set_rules(rules=form.rules())
        messages.success(request, "Changed. It holds from the next STOP on.")
        return redirect("compliance")
    context = {
        "form": form,
        "confirmation": text_of("opt_out_confirmation", request.tenant, "en", keep=known.keep),
        "revoke_all_from": settings.REVOKE_ALL_FROM,
    }
    return TemplateResponse(request, "messaging/opt_out_rules.html", context, status=422 if form.is_bound else 200)


@tenant_view(Permission.IMPORT_CONTACTS)
@require_http_methods(["GET", "HEAD", "POST"])
def opt_out_numbers(request: TenantRequest) -> HttpResponse:
    """End all texts to a list of numbers, contacts or not; what is no number is shown again."""
    form = OptOutListForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    bad: list[BadLine] = []
    numbers: list[str] = []
    if form.is_valid():
        numbers, bad = read_numbers(form.cleaned_data["text"], country=request.tenant.country)
        if numbers:
            new = opt_out_list(numbers=numbers, note=form.cleaned_data["note"], user_id=request.user.id)
            messages.success(request, _outcome(len(numbers), new))
        if bad:
            left = "\n".join(line.text for line in bad[:SHOWN_PROBLEMS])
            form = OptOutListForm(initial={"lines": left, "note": form.cleaned_data["note"]})
        elif numbers:
            return redirect("opt_out_numbers")
        else:
            form.add_error("lines", "There is no number in it.")
    context = {"form": form, "bad": bad[:SHOWN_PROBLEMS], "bad_count": len(bad)}
    refused = form.is_bound or bool(bad and not numbers)
    return TemplateResponse(request, "messaging/opt_out_numbers.html", context, status=422 if refused else 200)


def _outcome(count: int, new: int) -> str:
    known = count - new
    said = f"{new:,} {'number gets' if new == 1 else 'numbers get'} no more texts from now on."
    return f"{said} {known:,} had opted out before." if known else said
