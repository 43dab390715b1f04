"""Settings: the tenant's own fields of contacts."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST

from common.forms import add_errors
from common.pages import at_most
from contacts.forms import FieldForm
from contacts.models import ContactField, ContactValue
from contacts.services import create_field, delete_field, move_field, update_field
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = ["field_delete", "field_edit", "field_move", "fields"]

COUNTED_UP_TO = 10_000


@tenant_view(Permission.VIEW, write=Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "POST"])
def fields(request: TenantRequest) -> HttpResponse:
    """All fields in their order; add a new one."""
    form = FieldForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            create_field(**form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Field added. It is on every contact's page now.")
            return redirect("contact_fields")
    rows = [
        (field, at_most(ContactValue.objects.filter(field=field), COUNTED_UP_TO))
        for field in ContactField.objects.filter(deleted_at=None).order_by("position", "id")
    ]
    context = {
        "form": form,
        "rows": rows,
        "counted_up_to": COUNTED_UP_TO,
        "may_manage": allowed(request.membership.role, Permission.MANAGE_SETTINGS),
    }
    return TemplateResponse(request, "contacts/field_list.html", context, status=422 if form.errors else 200)


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "POST"])
def field_edit(request: TenantRequest, field_id: UUID) -> HttpResponse:
    """Rename a field, change its kind or its choices."""
    field = get_object_or_404(ContactField, id=field_id, deleted_at=None)
    initial = {"label": field.label, "kind": field.kind, "choices": "\n".join(field.choices)}
    form = FieldForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            update_field(tenant=request.tenant, field=field, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Field changed.")
            return redirect("contact_fields")
    context = {"form": form, "field": field}
    return TemplateResponse(request, "contacts/field_edit.html", context, status=422 if form.errors else 200)


@tenant_view(Permission.MANAGE_SETTINGS)
@require_POST
def field_move(request: TenantRequest, field_id: UUID) -> HttpResponse:
    """Show a field one place earlier (``up``) or later."""
    field = get_object_or_404(ContactField, id=field_id, deleted_at=None)
    move_field(field=field, up="up" in request.POST)
    return redirect("contact_fields")


@tenant_view(Permission.MANAGE_SETTINGS)
@require_POST
def field_delete(request: TenantRequest, field_id: UUID) -> HttpResponse:
    """Delete a field and everybody's values of it."""
    field = get_object_or_404(ContactField, id=field_id, deleted_at=None)
    try:
        delete_field(field=field)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"The field “{field.label}” is deleted.")
    return redirect("contact_fields")
