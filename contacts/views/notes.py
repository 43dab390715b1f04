"""Notes on a contact. They are read on the contact's page, in the order of time."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST

from common.forms import add_errors
from contacts.forms import NoteForm
from contacts.models import Contact, ContactNote
from contacts.services import add_note, delete_note, edit_note
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = ["note_add", "note_delete", "note_edit"]


@tenant_view(Permission.EDIT_CONTACTS, restricted_too=True)
@require_http_methods(["GET", "POST"])
def note_add(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Write a note on a person."""
    contact = get_object_or_404(Contact, id=contact_id)
    form = NoteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            add_note(contact=contact, body=form.cleaned_data["body"], author_id=request.user.id)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Note added.")
            return redirect("contact", contact.id)
    return _page(request, form, contact)


@tenant_view(Permission.EDIT_CONTACTS, restricted_too=True)
@require_http_methods(["GET", "POST"])
def note_edit(request: TenantRequest, contact_id: UUID, note_id: UUID) -> HttpResponse:
    """Change a note: one's own, or a colleague's as a manager or an owner."""
    note = _note(contact_id, note_id)
    all_notes = _may_change_all(request)
    if not all_notes and note.author_id != request.user.id:
        raise PermissionDenied("Only whoever wrote this note, a manager or an owner can change it.")
    form = NoteForm(request.POST if request.method == "POST" else None, initial={"body": note.body})
    if request.method == "POST" and form.is_valid():
        try:
            edit_note(note=note, body=form.cleaned_data["body"], user_id=request.user.id, may_change_all=all_notes)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Note saved.")
            return redirect("contact", note.contact_id)
    return _page(request, form, note.contact, note)


@tenant_view(Permission.EDIT_CONTACTS, restricted_too=True)
@require_POST
def note_delete(request: TenantRequest, contact_id: UUID, note_id: UUID) -> HttpResponse:
    """Delete a note."""
    note = _note(contact_id, note_id)
    delete_note(note=note, user_id=request.user.id, may_change_all=_may_change_all(request))
    messages.success(request, "Note deleted.")
    return redirect("contact", contact_id)


def _note(contact_id: UUID, note_id: UUID) -> ContactNote:
    found = ContactNote.objects.select_related("contact").filter(contact__in=Contact.objects.filter(id=contact_id))
    return get_object_or_404(found, id=note_id)


def _may_change_all(request: TenantRequest) -> bool:
    return allowed(request.membership.role, Permission.EDIT_ALL_NOTES)


def _page(request: TenantRequest, form: NoteForm, contact: Contact, note: ContactNote | None = None) -> HttpResponse:
    context = {"form": form, "contact": contact, "note": note}
    return TemplateResponse(request, "contacts/note_form.html", context, status=422 if form.errors else 200)
