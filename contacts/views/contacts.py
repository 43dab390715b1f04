"""The list of contacts and the page of one."""

from collections.abc import Collection
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.forms import add_errors
from common.ids import id_or_none_such
from common.number_zones import likely_zone
from common.phone_numbers import NumberProblem, parse
from common.search import search_text
from consent.models import ConsentRecord, ConsentState
from consent.purposes import Purpose
from consent.services import suppressed_among
from contacts.fields import typed
from contacts.forms import TagForm
from contacts.list_columns import MAX_COLUMNS, cells_of, chosen_columns, column_choices
from contacts.models import Contact, ContactField, ContactFilter, ContactList, Tag
from contacts.person_forms import ContactForm, NewContactForm
from contacts.selections import CONSENT_FILTER, Selection
from contacts.services import (
    add_to_list,
    create_contact,
    get_or_create_tag,
    remove_from_list,
    tag_contact,
    untag_contact,
    update_contact,
)
from contacts.views.bulk import kinds_for
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = [
    "contact_add",
    "contact_edit",
    "contact_list_add",
    "contact_list_remove",
    "contact_tag",
    "contacts",
]

COUNTED_UP_TO = 1_000


@tenant_view(Permission.VIEW, restricted_too=True)
@require_GET
def contacts(request: TenantRequest) -> HttpResponse:
    """Everybody the tenant knows: searched, filtered, newest first."""
    selection = Selection(request.GET, request.tenant.calling_codes)
    page = selection.page(request.GET.get("before"))
    consent = _consent_of([contact.number for contact in page.rows])
    role = request.membership.role
    choices = column_choices()
    columns = chosen_columns(request.membership, choices)
    cells = cells_of(page.rows, columns)
    context = {
        "page": page,
        "rows": [
            (contact, consent.get(contact.number, "none"), row) for contact, row in zip(page.rows, cells, strict=True)
        ],
        "columns": columns,
        "column_choices": choices,
        "most_columns": MAX_COLUMNS,
        "count": selection.count(COUNTED_UP_TO) if page.next or page.started else len(page.rows),
        "counted_up_to": COUNTED_UP_TO,
        "list_choices": [(str(row.id), row.name) for row in ContactList.objects.order_by("name")],
        "tag_choices": [(str(row.id), row.name) for row in Tag.objects.order_by("name")],
        "filter_choices": [(str(row.id), row.name) for row in ContactFilter.objects.order_by("name")],
        "consent_choices": CONSENT_FILTER,
        "archived_choices": [("1", "Archived")],
        "searching": any(request.GET.get(name) for name in ("q", "list", "tag", "filter", "consent", "archived")),
        "bulk_kinds": kinds_for(request.membership),
        "may_merge": allowed(role, Permission.MERGE_CONTACTS),
        "may_edit": allowed(role, Permission.EDIT_CONTACTS),
        "may_import": allowed(role, Permission.IMPORT_CONTACTS),
    }
    # The browser's way back asks for the whole page, even though htmx sends it.
    partial = request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request
    return TemplateResponse(
        request, "contacts/_contact_rows.html" if partial else "contacts/contact_list.html", context
    )


def _consent_of(numbers: Collection[str]) -> dict[str, str]:
    """For each number that said something about offers: "opted_in" or "opted_out", as common.statuses calls it."""
    states = ConsentState.objects.filter(number__in=numbers, purpose=Purpose.MARKETING).values_list("number", "act")
    said = {number: "opted_in" if act == ConsentRecord.Act.OPT_IN else "opted_out" for number, act in states}
    return said | dict.fromkeys(suppressed_among(numbers=numbers), "opted_out")


@tenant_view(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def contact_add(request: TenantRequest) -> HttpResponse:
    """Add one person; ``?number=`` is theirs."""
    initial = {"number": search_text(request, "number")}
    form = NewContactForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        own_fields=_own_fields(),
        country=request.tenant.country,
    )
    known = None
    if request.method == "POST" and form.is_valid():
        try:
            contact = create_contact(
                tenant=request.tenant,
                number=form.cleaned_data["number"],
                values=form.details(),
                fields=form.own_values(),
            )
        except ValidationError as error:
            known = _known(request, form.cleaned_data["number"])
            add_errors(form, error)
        else:
            messages.success(request, "Contact added.")
            return redirect("contact", contact.id)
    context = {"form": form, "known": known}
    return TemplateResponse(request, "contacts/contact_add.html", context, status=422 if form.errors else 200)


def _known(request: TenantRequest, number: str) -> Contact | None:
    """The contact who has this number already: whoever adds it again is led there."""
    try:
        return Contact.objects.by_number(parse(number, request.tenant.country).e164).first()
    except NumberProblem:
        return None


def _own_fields() -> list[ContactField]:
    return list(ContactField.objects.filter(deleted_at=None).order_by("position", "id"))


@tenant_view(Permission.EDIT_CONTACTS, restricted_too=True)
@require_http_methods(["GET", "POST"])
def contact_edit(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Change a person's details."""
    contact = get_object_or_404(Contact, id=contact_id)
    own, country = _own_fields(), request.tenant.country
    initial = {name: getattr(contact, name) for name in ContactForm.base_fields}
    initial |= {f"field_{each.key}": typed(contact.fields.get(each.key, ""), each.type.kind, country) for each in own}
    form = ContactForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        own_fields=own,
        country=country,
        likely_zone=likely_zone(contact.number),
    )
    if request.method == "POST" and form.is_valid():
        try:
            update_contact(contact=contact, values=form.details(), fields=form.own_values())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Changes saved.")
            return redirect("contact", contact.id)
    context = {"form": form, "contact": contact}
    return TemplateResponse(request, "contacts/contact_edit.html", context, status=422 if form.errors else 200)


@tenant_view(Permission.EDIT_CONTACTS, restricted_too=True)
@require_POST
def contact_tag(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Put a tag on a person, or take it off (``remove``)."""
    contact = get_object_or_404(Contact, id=contact_id)
    if remove := request.POST.get("remove"):
        if tag := Tag.objects.filter(id=id_or_none_such(remove)).first():
            untag_contact(contact=contact, tag=tag)
    else:
        form = TagForm(request.POST)
        if form.is_valid() and form.cleaned_data["tag"].strip():
            tag_contact(contact=contact, tag=get_or_create_tag(name=form.cleaned_data["tag"]))
        else:
            messages.error(request, "Give the tag a name of at most 40 characters.")
    return redirect("contact", contact.id)


@tenant_view(Permission.EDIT_CONTACTS, restricted_too=True)
@require_POST
def contact_list_add(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Put a person into a list."""
    contact = get_object_or_404(Contact, id=contact_id)
    contact_list = get_object_or_404(ContactList, id=id_or_none_such(request.POST.get("list", "")))
    add_to_list(contact=contact, contact_list=contact_list)
    return redirect("contact", contact.id)


@tenant_view(Permission.EDIT_CONTACTS, restricted_too=True)
@require_POST
def contact_list_remove(request: TenantRequest, contact_id: UUID, list_id: UUID) -> HttpResponse:
    """Take a person out of a list."""
    contact = get_object_or_404(Contact, id=contact_id)
    remove_from_list(contact=contact, contact_list=get_object_or_404(ContactList, id=list_id))
    return redirect("contact", contact.id)
