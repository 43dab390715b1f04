"""Staff write down what a person agreed to, or wants no more of."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from consent.ledger import OptIn
from consent.models import ConsentRecord
from consent.preferences import stop_some
from consent.purposes import Purpose
from consent.services import is_suppressed, opt_in, opt_out
from contacts.forms import OptInForm
from contacts.models import Contact, ContactNumber
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["contact_opt_in", "contact_opt_out"]


@tenant_view(Permission.EDIT_CONTACTS, restricted_too=True)
@require_http_methods(["GET", "POST"])
def contact_opt_in(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Write down what a person agreed to, with where the proof is.

    ``?purpose=`` chooses the kind of text beforehand, ``?number=`` which of the person's numbers it is about.
    """
    contact = get_object_or_404(Contact, id=contact_id)
    number = _number_meant(contact, request.GET.get("number"))
    form = OptInForm(
        request.POST if request.method == "POST" else None, initial={"purpose": request.GET.get("purpose", "")}
    )
    if request.method == "POST" and form.is_valid():
        if is_suppressed(number=number):
            form.add_error(None, "This person opted out. Only they can come back, by texting START.")
        else:
            data = form.cleaned_data
            agreement = OptIn(
                number=number,
                purpose=data["purpose"],
                source=data["source"],
                wording=data["wording"],
                evidence={"recorded_on": "contact page"},
            )
            opt_in(opt_in=agreement, actor_id=request.user.id, about=contact)
            messages.success(request, "The opt-in is recorded.")
            return _to_consent_of(contact, number)
    context = {"form": form, "contact": contact, "number": number, "suppressed": is_suppressed(number=number)}
    return TemplateResponse(request, "contacts/contact_opt_in.html", context, status=422 if form.errors else 200)


@tenant_view(Permission.EDIT_CONTACTS, restricted_too=True)
@require_POST
def contact_opt_out(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """A person told staff to stop: it holds at once, like their own STOP. ``purpose``: of one kind of text only."""
    contact = get_object_or_404(Contact, id=contact_id)
    number = _number_meant(contact, request.POST.get("number") or request.GET.get("number"))
    evidence: dict[str, object] = {"recorded_on": "contact page"}
    if "purpose" in request.POST:
        _opt_out_of_one(request, contact, number, evidence)
        return _to_consent_of(contact, number)
    opt_out(
        number=number,
        source=ConsentRecord.Source.STAFF,
        evidence=evidence,
        actor_id=request.user.id,
        about=contact,
    )
    messages.success(request, "The opt-out is recorded. This number gets no more texts.")
    return _to_consent_of(contact, number)


def _opt_out_of_one(request: TenantRequest, contact: Contact, number: str, evidence: dict[str, object]) -> None:
    ended = stop_some(
        number=number,
        purposes=[request.POST["purpose"]],
        wording="",
        evidence=evidence,
        source=ConsentRecord.Source.STAFF,
        actor_id=request.user.id,
        about=contact,
    )
    if ended:
        messages.success(request, f"Recorded. This number gets no more of: {Purpose(ended[0]).label}.")
    else:
        messages.error(request, "No agreement to this kind of text is in force. Look at what the page says now.")


def _number_meant(contact: Contact, number: str | None) -> str:
    """The number that the page was about when the button was pressed; one that is not theirs any more is not found."""
    if not number or number == contact.number:
        return contact.number
    return get_object_or_404(ContactNumber, contact=contact, number=number.replace("\x00", "")).number


def _to_consent_of(contact: Contact, number: str) -> HttpResponse:
    """Back to the contact, with the number that it was about."""
    shown = "" if number == contact.number else f"?{urlencode({'number': number})}"
    return redirect(reverse("contact", args=[contact.id]) + shown)
