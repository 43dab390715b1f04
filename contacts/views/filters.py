"""Filters: the list of them, and the page where one is built."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.forms import add_errors
from contacts.filters.builder import draw, read_form, rule_from_query
from contacts.filters.rules import RuleProblem, read_rule
from contacts.filters.select import live_count
from contacts.forms import FilterForm
from contacts.models import ContactFilter
from contacts.services import delete_filter, save_filter
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = ["filter_delete", "filter_edit", "filter_new", "filters"]

COUNTED_UP_TO = 10_000
"""While a filter is built, where the figure is what one looks at; the page with all filters counts less far."""
LISTED_UP_TO = 1_000
_PARTS = {"builder": "contacts/_filter_builder.html", "builder-found": "contacts/_filter_found.html"}
"""What htmx asks for anew, and its template."""


@tenant_view(Permission.VIEW)
@require_GET
def filters(request: TenantRequest) -> HttpResponse:
    """All filters with how many people each finds now."""
    rows = [(kept, _found(request, kept.rule, LISTED_UP_TO)) for kept in ContactFilter.objects.order_by("name")]
    role = request.membership.role
    context = {
        "rows": rows,
        "counted_up_to": LISTED_UP_TO,
        "may_edit": allowed(role, Permission.EDIT_CONTACTS),
        "may_campaign": allowed(role, Permission.MANAGE_CAMPAIGNS),
    }
    return TemplateResponse(request, "contacts/filter_list.html", context)


@tenant_view(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def filter_new(request: TenantRequest) -> HttpResponse:
    """Build a filter; the address may name the quick filters of the list of contacts to begin with."""
    return _builder(request, ContactFilter(rule=rule_from_query(request.GET.dict())))


@tenant_view(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def filter_edit(request: TenantRequest, filter_id: UUID) -> HttpResponse:
    """Change a filter, or keep what stands there as another one."""
    return _builder(request, get_object_or_404(ContactFilter, id=filter_id))


def _builder(request: TenantRequest, kept: ContactFilter) -> HttpResponse:
    is_new = kept._state.adding
    rule = read_form(request.POST.dict()) if request.method == "POST" else kept.rule
    form = FilterForm(request.POST if request.method == "POST" else None, initial={"name": kept.name})
    only_a_step = request.method == "POST" and (request.htmx.target in _PARTS or "do" in request.POST)
    if only_a_step:
        form = FilterForm(initial={"name": request.POST.get("name", "").replace("\x00", "")})
    elif request.method == "POST" and form.is_valid():
        saved = ContactFilter() if "save_as" in request.POST else kept
        try:
            save_filter(
                tenant=request.tenant, kept=saved, name=form.cleaned_data["name"], rule=rule, user_id=request.user.id
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Filter saved.")
            return redirect("filters")
    context = {
        "form": form,
        "kept": kept,
        "is_new": is_new,
        "box": draw(rule),
        "found": _found(request, rule, COUNTED_UP_TO),
        "counted_up_to": COUNTED_UP_TO,
    }
    page = _PARTS.get(request.htmx.target or "", "contacts/filter_edit.html")
    return TemplateResponse(request, page, context, status=422 if form.errors else 200)


def _found(request: TenantRequest, rule: Any, limit: int) -> dict[str, object]:
    """How many people the rule finds, or why it cannot be used."""
    try:
        return {"count": live_count(read_rule(rule), request.tenant, limit)}
    except RuleProblem as problem:
        return {"problem": str(problem)}


@tenant_view(Permission.EDIT_CONTACTS)
@require_POST
def filter_delete(request: TenantRequest, filter_id: UUID) -> HttpResponse:
    """Delete a filter; the people it finds stay."""
    try:
        delete_filter(kept=get_object_or_404(ContactFilter, id=filter_id))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "Filter deleted. The people it found are kept.")
    return redirect("filters")
