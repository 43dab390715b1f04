"""Erasing a person for good."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from common.forms import add_errors
from contacts.forms import EraseForm
from contacts.models import Contact
from contacts.services import erase_contact
from tenants.access import TenantRequest, tenant_view
from tenants.confirmation import recently_confirmed
from tenants.permissions import Permission

__all__ = ["contact_erase"]


@tenant_view(Permission.ERASE_CONTACTS)
@recently_confirmed
@require_http_methods(["GET", "POST"])
def contact_erase(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Say what goes and what stays; erase once the word is typed."""
    contact = get_object_or_404(Contact, id=contact_id)
    form = EraseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            erase_contact(contact=contact, typed=form.cleaned_data["typed"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Erased. Nothing of this person is left but what the law requires.")
            return redirect("contacts")
    context = {"form": form, "contact": contact}
    return TemplateResponse(request, "contacts/contact_erase.html", context, status=422 if form.errors else 200)
