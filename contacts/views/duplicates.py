"""Contacts that may be the same person: looking for them, dismissing a pair, merging two."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.forms import add_errors
from common.pages import page_by_id
from contacts.forms import MergeForm
from contacts.models import Contact, ContactField, DuplicatePair, DuplicateSearch
from contacts.services import dismiss_pair, merge_contacts, start_search
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["contact_merge", "duplicates", "duplicates_find", "pair_dismiss"]


@tenant_view(Permission.MERGE_CONTACTS)
@require_GET
def duplicates(request: TenantRequest) -> HttpResponse:
    """Pairs of contacts with something in common."""
    open_pairs = DuplicatePair.objects.filter(
        dismissed_at=None, one__erased_at=None, other__erased_at=None
    ).select_related("one", "other")
    context = {
        "page": page_by_id(open_pairs, request.GET.get("after"), newest_first=False),
        "search": DuplicateSearch.objects.order_by("-created_at").first(),
    }
    return TemplateResponse(request, "contacts/duplicate_list.html", context)


@tenant_view(Permission.MERGE_CONTACTS)
@require_POST
def duplicates_find(request: TenantRequest) -> HttpResponse:
    """Look for duplicates, in the background."""
    start_search(user_id=request.user.id)
    messages.success(request, "The search has begun. Load this page again in a moment.")
    return redirect("duplicates")


@tenant_view(Permission.MERGE_CONTACTS)
@require_POST
def pair_dismiss(request: TenantRequest, pair_id: UUID) -> HttpResponse:
    """They are not the same person."""
    dismiss_pair(pair=get_object_or_404(DuplicatePair, id=pair_id), user_id=request.user.id)
    messages.success(request, "They are not offered again.")
    return redirect("duplicates")


@tenant_view(Permission.MERGE_CONTACTS)
@require_http_methods(["GET", "POST"])
def contact_merge(request: TenantRequest, contact_id: UUID, gone_id: UUID) -> HttpResponse:
    """Choose field by field what is kept, and merge: ``contact_id`` stays, ``gone_id`` goes."""
    kept, gone = get_object_or_404(Contact, id=contact_id), get_object_or_404(Contact, id=gone_id)
    labels = {field.key: field.label for field in ContactField.objects.filter(deleted_at=None)}
    posted = request.POST if request.method == "POST" else None
    form = MergeForm(posted, kept=kept, gone=gone, labels=labels)
    if request.method == "POST" and form.is_valid():
        try:
            merge_contacts(kept=kept, gone=gone, taken=form.taken())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "They are one contact now.")
            return redirect("contact", kept.id)
    context = {"form": form, "kept": kept, "gone": gone}
    return TemplateResponse(request, "contacts/contact_merge.html", context, status=422 if form.errors else 200)
