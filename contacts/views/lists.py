"""Contact lists."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST

from common.forms import add_errors
from common.pages import at_most
from contacts.forms import ListForm
from contacts.models import Contact, ContactList
from contacts.services import create_list, delete_list, rename_list
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = ["list_delete", "list_rename", "lists"]

COUNTED_UP_TO = 1_000
SHOWN = 200


@tenant_view(Permission.VIEW, write=Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def lists(request: TenantRequest) -> HttpResponse:
    """All lists with how many are in them; make a new one."""
    form = ListForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            create_list(name=form.cleaned_data["name"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "List made. Put contacts into it from their pages or by an import.")
            return redirect("lists")
    return _lists_page(request, form)


def _lists_page(
    request: TenantRequest, form: ListForm, *, renamed: ContactList | None = None, rename_form: ListForm | None = None
) -> HttpResponse:
    """All lists; ``renamed`` is the one whose new name was refused, ``rename_form`` what was typed and why."""
    rows = [
        (contact_list, at_most(Contact.objects.get_queryset().active().in_list(contact_list.id), COUNTED_UP_TO))
        for contact_list in ContactList.objects.order_by("name")[:SHOWN]
    ]
    role = request.membership.role
    context = {
        "form": form,
        "rows": rows,
        "renamed": renamed,
        "rename_form": rename_form,
        "counted_up_to": COUNTED_UP_TO,
        "may_edit": allowed(role, Permission.EDIT_CONTACTS),
        "may_import": allowed(role, Permission.IMPORT_CONTACTS),
        "may_campaign": allowed(role, Permission.MANAGE_CAMPAIGNS),
    }
    refused = form.errors or rename_form is not None
    return TemplateResponse(request, "contacts/list_list.html", context, status=422 if refused else 200)


@tenant_view(Permission.EDIT_CONTACTS)
@require_POST
def list_rename(request: TenantRequest, list_id: UUID) -> HttpResponse:
    """Give a list another name."""
    contact_list = get_object_or_404(ContactList, id=list_id)
    form = ListForm(request.POST, auto_id="rename_%s")
    if form.is_valid():
        try:
            rename_list(contact_list=contact_list, name=form.cleaned_data["name"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "List renamed.")
            return redirect("lists")
    return _lists_page(request, ListForm(), renamed=contact_list, rename_form=form)


@tenant_view(Permission.EDIT_CONTACTS)
@require_POST
def list_delete(request: TenantRequest, list_id: UUID) -> HttpResponse:
    """Delete a list; its contacts stay."""
    try:
        delete_list(contact_list=get_object_or_404(ContactList, id=list_id))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "List deleted. Its contacts are kept.")
    return redirect("lists")
