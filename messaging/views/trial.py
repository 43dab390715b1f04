"""Settings: what a tenant in trial may do, and the way out of it."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_POST

from common.form_pages import form_of
from common.forms import add_errors
from messaging.forms import ApprovalForm, NumberForm
from messaging.models import Sender
from messaging.services import ask_own_number
from tenants.access import TenantRequest, tenant_view
from tenants.models import TrialNumber
from tenants.permissions import Permission, allowed
from tenants.services import MOST_GUESTS, add_guest, ask_for_approval, remove_trial_number
from tenants.trial import texts_left

__all__ = ["approval_ask", "guest_add", "number_remove", "own_number", "trial"]


@tenant_view(Permission.VIEW, restricted_too=True)
@require_GET
def trial(request: TenantRequest) -> HttpResponse:
    """The limits, the numbers that may be texted, and asking for approval."""
    return _page(request)


@tenant_view(Permission.REPLY, restricted_too=True)
@form_of("trial")
def own_number(request: TenantRequest) -> HttpResponse:
    """The member's own number: a text asks whether it is theirs."""
    form = NumberForm(request.POST, prefix="own")
    if form.is_valid():
        try:
            ask_own_number(tenant=request.tenant, membership=request.membership, number=form.cleaned_data["number"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "A text is on its way to that number. Answer it with OK.")
            return redirect("trial")
    return _page(request, own_form=form)


@tenant_view(Permission.MANAGE_TENANT)
@form_of("trial")
def guest_add(request: TenantRequest) -> HttpResponse:
    """A guest's number."""
    form = NumberForm(request.POST, prefix="guest")
    if form.is_valid():
        try:
            add_guest(tenant=request.tenant, number=form.cleaned_data["number"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "This number can be texted now, if its owner agreed to it.")
            return redirect("trial")
    return _page(request, guest_form=form)


@tenant_view(Permission.MANAGE_TENANT)
@require_POST
def number_remove(request: TenantRequest, number_id: UUID) -> HttpResponse:
    """Take a number off the list."""
    remove_trial_number(number=get_object_or_404(TrialNumber, id=number_id))
    messages.success(request, "The number is off the list.")
    return redirect("trial")


@tenant_view(Permission.MANAGE_TENANT)
@form_of("trial")
def approval_ask(request: TenantRequest) -> HttpResponse:
    """Ask the platform's admins to approve the business."""
    form = ApprovalForm(request.POST)
    if form.is_valid():
        try:
            ask_for_approval(tenant=request.tenant, plan=form.cleaned_data["plan"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Thank you. We look at it and mail you the answer.")
            return redirect("trial")
    return _page(request, approval_form=form)


def _page(
    request: TenantRequest,
    *,
    own_form: NumberForm | None = None,
    guest_form: NumberForm | None = None,
    approval_form: ApprovalForm | None = None,
) -> HttpResponse:
    tenant = request.tenant
    numbers = list(TrialNumber.objects.select_related("member__user").order_by("created_at"))
    bound = [form for form in (own_form, guest_form, approval_form) if form is not None]
    context = {
        "own": next((number for number in numbers if number.member_id == request.membership.id), None),
        "numbers": numbers,
        "room_for_guests": sum(number.member_id is None for number in numbers) < MOST_GUESTS,
        "most_guests": MOST_GUESTS,
        "texts_left": texts_left(tenant, lock=False) if tenant.in_trial else 0,
        "has_sender": Sender.objects.filter(status=Sender.Status.ACTIVE).exists(),
        "own_form": own_form or NumberForm(prefix="own"),
        "guest_form": guest_form or NumberForm(prefix="guest"),
        "approval_form": approval_form or ApprovalForm(initial={"plan": tenant.approval_plan}),
        "may_reply": allowed(request.membership.role, Permission.REPLY),
        "may_manage": allowed(request.membership.role, Permission.MANAGE_TENANT),
    }
    return TemplateResponse(request, "messaging/trial.html", context, status=422 if bound else 200)
