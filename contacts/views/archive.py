"""Setting a contact aside, and taking it up again."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from contacts.models import Contact
from contacts.services import archive_contact, unarchive_contact
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["contact_archive", "contact_unarchive"]


@tenant_view(Permission.EDIT_CONTACTS)
@require_POST
def contact_archive(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Archive a person."""
    archive_contact(contact=get_object_or_404(Contact, id=contact_id))
    messages.success(request, "Archived. A filter of the contact list shows archived people.")
    return redirect("contact", contact_id)


@tenant_view(Permission.EDIT_CONTACTS)
@require_POST
def contact_unarchive(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Take a person out of the archive."""
    unarchive_contact(contact=get_object_or_404(Contact, id=contact_id))
    messages.success(request, "Taken out of the archive.")
    return redirect("contact", contact_id)
