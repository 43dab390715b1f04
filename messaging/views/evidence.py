"""The evidence pack of a person's number."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.views.decorators.http import require_POST

from consent.evidence import NothingRecorded, evidence_zip
from contacts.models import Contact
from messaging.evidence import messages_of
from tenants.access import TenantRequest, tenant_view
from tenants.audit import record
from tenants.permissions import Permission

__all__ = ["contact_evidence"]


@tenant_view(Permission.MANAGE_TENANT)
@require_POST
def contact_evidence(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """What is recorded of the person's number, with all that somebody needs to check it without us."""
    contact = get_object_or_404(Contact, id=contact_id)
    try:
        content = evidence_zip(number=contact.number, messages=messages_of(contact.number))
    except NothingRecorded:
        messages.error(request, "Nothing is recorded about this number's consent.")
        return redirect("contact", contact.id)
    except ImproperlyConfigured:
        messages.error(request, "The consent ledger cannot be signed: tell whoever runs the platform.")
        return redirect("contact", contact.id)
    record("consent.evidence_downloaded", target=contact, target_name="")
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="consent-evidence-{localdate():%Y-%m-%d}.zip"'
    return response
