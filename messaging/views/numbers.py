"""Settings: numbers that get no texts, and numbers that changed hands."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.form_pages import form_of
from common.ids import id_in
from common.pages import page_by_id
from consent.models import ChangedNumber, NumberMark
from consent.number_marks import spared
from contacts.models import Contact
from messaging.changed_list import ChangedList, read_list
from messaging.models import PartPrice
from messaging.numbers_forms import ChangedNumbersForm, PartPriceForm
from messaging.services import note_changed_numbers, set_part_price, try_number_again
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = ["changed_numbers", "number_again", "part_price", "unreachable"]

SHOWN_PROBLEMS = 50


@tenant_view(Permission.VIEW)
@require_GET
def unreachable(request: TenantRequest) -> HttpResponse:
    """The numbers that get no texts, why, and what was not paid for because of that."""
    return _page(request)


@tenant_view(Permission.EDIT_CONTACTS)
@require_POST
def number_again(request: TenantRequest, mark_id: UUID) -> HttpResponse:
    """Let texts go to a number again. ``contact``: whose page the button stood on."""
    mark = get_object_or_404(NumberMark, id=mark_id)
    if try_number_again(mark=mark):
        messages.success(request, "Texts go to this number again. If the same answer comes, it is kept back again.")
    else:
        messages.success(request, "Nothing keeps texts from this number any more.")
    contact_id = id_in(request.POST.get("contact"))
    return redirect("contact", contact_id) if contact_id else redirect("unreachable")


@tenant_view(Permission.MANAGE_SETTINGS)
@form_of("unreachable")
def part_price(request: TenantRequest) -> HttpResponse:
    """Say what a part costs."""
    form = PartPriceForm(request.POST)
    if form.is_valid():
        set_part_price(micros=form.micros(), currency=form.cleaned_data["currency"])
        messages.success(request, "Price changed.")
        return redirect("unreachable")
    return _page(request, form)


def _page(request: TenantRequest, form: PartPriceForm | None = None) -> HttpResponse:
    marks = NumberMark.objects.filter(cleared_at=None, holds_since__isnull=False)
    page = page_by_id(marks, request.GET.get("after"))
    owners = Contact.objects.owners([mark.number for mark in page.rows])
    price = PartPrice.objects.first()
    texts, parts = spared()
    role = request.membership.role
    known = {"price": price.amount, "currency": price.currency} if price else None
    context = {
        "page": page,
        "rows": [(mark, owners.get(mark.number), _saved(price, mark.parts_spared)) for mark in page.rows],
        "texts": texts,
        "saved": _saved(price, parts),
        "price": price,
        "price_form": form or PartPriceForm(initial=known),
        "may_edit": allowed(role, Permission.EDIT_CONTACTS),
        "may_manage": allowed(role, Permission.MANAGE_SETTINGS),
        "may_import": allowed(role, Permission.IMPORT_CONTACTS),
    }
    return TemplateResponse(request, "messaging/unreachable_list.html", context, status=422 if form else 200)


def _saved(price: PartPrice | None, parts: int) -> str:
    return price.in_words(parts) if price and parts else ""


@tenant_view(Permission.IMPORT_CONTACTS)
@require_http_methods(["GET", "HEAD", "POST"])
def changed_numbers(request: TenantRequest) -> HttpResponse:
    """Numbers that changed hands: those that are known, and a list to add to them."""
    today = timezone.now().astimezone(request.tenant.zone).date()
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ChangedNumbersForm(*posted, today=today)
    read: ChangedList | None = None
    if form.is_valid():
        read = read_list(
            form.cleaned_data["text"], country=request.tenant.country, usual_day=form.cleaned_data["day"], today=today
        )
        if read.changes:
            noted = note_changed_numbers(tenant=request.tenant, changes=read.changes)
            messages.success(request, _outcome(len(read.changes), noted))
        if not read.bad:
            return redirect("changed_numbers")
        left = "\n".join(line.text for line in read.bad[:SHOWN_PROBLEMS])
        form = ChangedNumbersForm(initial={"lines": left, "day": form.cleaned_data["day"]}, today=today)
    page = page_by_id(ChangedNumber.objects.get_queryset(), request.GET.get("after"))
    owners = Contact.objects.owners([row.number for row in page.rows])
    context = {
        "form": form,
        "bad": read.bad[:SHOWN_PROBLEMS] if read else [],
        "bad_count": len(read.bad) if read else 0,
        "page": page,
        "rows": [(row, owners.get(row.number)) for row in page.rows],
    }
    refused = form.is_bound or (read is not None and not read.changes)
    return TemplateResponse(request, "messaging/changed_numbers.html", context, status=422 if refused else 200)


def _outcome(count: int, noted: int) -> str:
    if not noted:
        return "Read. None of these numbers has consent on record from before its day, so nothing changes."
    whose = "one number" if noted == 1 else f"{noted:,} numbers"
    return f"{count:,} read. Consent from before its day counts no more for {whose}."
