"""Bulk actions: whom and what, confirmed with a count; then progress, and what became of each person."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.timezone import localdate
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from common.forms import add_errors
from common.ids import id_in
from common.pages import PAGE_ROWS
from contacts.exporting.pieces import pieces
from contacts.exporting.workbook import XLSX_TYPE
from contacts.forms import BulkForm
from contacts.models import Contact, ContactJob, ContactJobRow, ExportPiece
from contacts.selections import selected
from contacts.services import cancel_job, start_job
from contacts.services.bulk import People
from tenants.access import TenantRequest, tenant_view
from tenants.audit import record
from tenants.confirmation import recently_confirmed
from tenants.models import Membership
from tenants.permissions import Permission, allowed

__all__ = ["bulk", "job", "job_cancel", "job_file", "jobs", "kinds_for"]

_QUERY_LENGTH: Final = 4_000
_NEEDS: Final[Mapping[str, Permission]] = {
    ContactJob.Kind.ERASE: Permission.ERASE_CONTACTS,
    ContactJob.Kind.EXPORT: Permission.EXPORT_CONTACTS,
}
_CONFIRMED_FIRST: Final = frozenset({ContactJob.Kind.ERASE, ContactJob.Kind.EXPORT})
"""Kinds for which somebody has to prove who they are."""
_CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": XLSX_TYPE,
}
_Kind = ContactJob.Kind


def kinds_for(membership: Membership) -> list[tuple[str, str]]:
    """What a member may do with many contacts; nothing for one who sees only some of them."""
    if membership.is_restricted:
        return []
    return [(kind.value, str(kind.label)) for kind in _Kind if allowed(membership.role, _needed(kind))]


def _needed(kind: str) -> Permission:
    return _NEEDS.get(kind, Permission.EDIT_CONTACTS)


@tenant_view(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def bulk(request: TenantRequest) -> HttpResponse:
    """Confirm a bulk action and start it: ``kind``, and ``contact`` ids or ``everyone`` whom ``query`` shows."""
    posted = request.POST if request.method == "POST" else request.GET
    kind = posted.get("kind", "")
    if kind not in _Kind.values:
        messages.error(request, "Choose what to do with the contacts.")
        return redirect("contacts")
    if not allowed(request.membership.role, _needed(kind)):
        raise PermissionDenied(f"Your role ({request.membership.get_role_display()}) cannot do this.")
    answer = recently_confirmed(_bulk) if kind in _CONFIRMED_FIRST else _bulk
    return answer(request, kind, posted)  # type: ignore[return-value]


def _bulk(request: TenantRequest, kind: str, posted: QueryDict) -> HttpResponse:
    people = _people(posted)
    if people.query is None and not people.chosen:
        messages.error(request, "Choose at least one contact.")
        return redirect("contacts")
    form = BulkForm(request.POST if request.method == "POST" else None, kind=kind)
    count = selected(people.query).order_by().count() if people.query is not None else len(people.chosen)
    if not count:
        messages.error(request, "Nobody matches these filters any more.")
        return redirect("contacts")
    if request.method == "POST" and form.is_valid():
        try:
            started = _start(request, kind, people, form, count)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return redirect("contact_job", started.id)
    context = {
        "form": form,
        "kind": kind,
        "label": _Kind(kind).label,
        "count": count,
        "chosen": people.chosen,
        "everyone": people.query is not None,
        "query": posted.get("query", ""),
    }
    return TemplateResponse(request, "contacts/bulk_confirm.html", context, status=422 if form.errors else 200)


def _start(request: TenantRequest, kind: str, people: People, form: BulkForm, count: int) -> ContactJob:
    typed = form.cleaned_data.get("typed")
    if typed is not None and typed != count:
        raise ValidationError({"typed": f"These are {count:,} people. Type {count} to go ahead."})
    values = {
        name: ",".join(value) if isinstance(value, list) else str(value)
        for name, value in form.cleaned_data.items()
        if name != "typed"
    }
    return start_job(
        tenant=request.tenant,
        kind=kind,
        people=People(people.chosen, people.query, typed),
        values=values,
        user_id=request.user.id,
    )


def _people(posted: QueryDict) -> People:
    if posted.get("everyone"):
        return People(query=QueryDict(posted.get("query", "")[:_QUERY_LENGTH]).dict())
    return People(chosen=sorted({one for text in posted.getlist("contact") if (one := id_in(text))}))


@tenant_view(Permission.EDIT_CONTACTS)
@require_GET
def jobs(request: TenantRequest) -> HttpResponse:
    """The newest bulk actions."""
    found = ContactJob.objects.select_related("created_by").order_by("-created_at")[:PAGE_ROWS]
    return TemplateResponse(request, "contacts/job_list.html", {"jobs": found})


@tenant_view(Permission.EDIT_CONTACTS)
@require_GET
def job(request: TenantRequest, job_id: UUID) -> HttpResponse:
    """How far a bulk action is; once it has ended, what became of each person."""
    found = get_object_or_404(ContactJob.objects.select_related("created_by"), id=job_id)
    if request.htmx and request.GET.get("part") == "progress":
        if found.status not in ContactJob.OPEN:
            # The outcome is another page than the progress.
            return HttpResponseClientRefresh()
        return TemplateResponse(request, "contacts/_job_progress.html", {"job": found})
    may_download = allowed(request.membership.role, Permission.EXPORT_CONTACTS)
    context = {
        "job": found,
        "is_open": found.status in ContactJob.OPEN,
        "file_is_kept": may_download and ExportPiece.objects.filter(job=found).exists(),
        **_rows(request, found),
    }
    return TemplateResponse(request, "contacts/job_detail.html", context)


def _rows(request: TenantRequest, found: ContactJob) -> dict[str, object]:
    outcome = request.GET.get("outcome", "")
    rows = ContactJobRow.objects.filter(job=found)
    if outcome in ContactJobRow.Outcome.values:
        rows = rows.filter(outcome=outcome)
    after = id_in(request.GET.get("after", ""))
    if after is not None:
        rows = rows.filter(contact_id__gt=after)
    page = list(rows.order_by("contact_id")[: PAGE_ROWS + 1])
    people = Contact.objects.in_bulk([row.contact_id for row in page])
    words = found.outcomes()
    return {
        "rows": [(row, people.get(row.contact_id), words[row.outcome]) for row in page[:PAGE_ROWS]],
        "next": page[PAGE_ROWS - 1].contact_id if len(page) > PAGE_ROWS else None,
        "started": after is not None,
        "outcome": outcome,
        "outcomes": [(value, label, found.counts.get(value, 0)) for value, label in words.items()],
    }


@tenant_view(Permission.EXPORT_CONTACTS)
@recently_confirmed
@require_GET
def job_file(request: TenantRequest, job_id: UUID) -> HttpResponseBase:
    """The exported file, as long as it is kept."""
    found = get_object_or_404(ContactJob, id=job_id, kind=_Kind.EXPORT, status=ContactJob.Status.DONE)
    if not ExportPiece.objects.filter(job=found).exists():
        messages.info(request, "The file is not kept any more. Export the contacts again.")
        return redirect("contact_job", found.id)
    record("contacts.downloaded", target=found, after={"people": found.rows_done})
    kind = found.parameters["format"]
    response = StreamingHttpResponse(pieces(request.tenant.id, found.id), content_type=_CONTENT_TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="contacts-{localdate(found.created_at):%Y-%m-%d}.{kind}"'
    return response


@tenant_view(Permission.EDIT_CONTACTS)
@require_POST
def job_cancel(request: TenantRequest, job_id: UUID) -> HttpResponse:
    """Stop a bulk action; what is done stays done."""
    found = get_object_or_404(ContactJob, id=job_id)
    if not allowed(request.membership.role, _needed(found.kind)):
        raise PermissionDenied(f"Your role ({request.membership.get_role_display()}) cannot do this.")
    try:
        cancel_job(job=found)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "Cancelled. What was done before stays done.")
    return redirect("contact_job", found.id)
