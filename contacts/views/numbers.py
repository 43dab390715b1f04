"""The numbers of one contact."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST

from common.forms import add_errors
from common.phone_numbers import reading_format
from contacts.models import Contact, ContactNumber
from contacts.person_forms import NumberForm
from contacts.services import add_number, prefer_number, remove_number
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["contact_number_add", "contact_number_prefer", "contact_number_remove"]


@tenant_view(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def contact_number_add(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Give a person a further number."""
    contact = get_object_or_404(Contact, id=contact_id)
    form = NumberForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            add_number(tenant=request.tenant, contact=contact, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Number added. Texts still go to the preferred one.")
            return redirect("contact", contact.id)
    context = {"form": form, "contact": contact}
    return TemplateResponse(request, "contacts/contact_number.html", context, status=422 if form.errors else 200)


@tenant_view(Permission.EDIT_CONTACTS)
@require_POST
def contact_number_prefer(request: TenantRequest, contact_id: UUID, number_id: UUID) -> HttpResponse:
    """Text this number from now on."""
    further = get_object_or_404(ContactNumber.objects.select_related("contact"), id=number_id, contact_id=contact_id)
    try:
        contact = prefer_number(further=further)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        number = reading_format(contact.number)
        messages.success(request, f"{number} is preferred now. What was agreed with the other number stays with it.")
    return redirect("contact", contact_id)


@tenant_view(Permission.EDIT_CONTACTS)
@require_POST
def contact_number_remove(request: TenantRequest, contact_id: UUID, number_id: UUID) -> HttpResponse:
    """Take a further number from a person."""
    further = get_object_or_404(ContactNumber.objects.select_related("contact"), id=number_id, contact_id=contact_id)
    try:
        remove_number(further=further)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "Number removed from this person.")
    return redirect("contact", contact_id)
