"""Importing a contact file: upload, choices, progress, the outcome of every row."""

import csv
from itertools import islice
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from common.form_pages import form_of
from common.forms import add_errors
from common.pages import PAGE_ROWS, at_most
from consent.purposes import Purpose
from contacts.exporting.workbook import XLSX_TYPE, workbook_of_rows
from contacts.forms import ImportChoicesForm, UploadForm
from contacts.importing.columns import FIELDS
from contacts.importing.files import PART_BYTES, table_of
from contacts.importing.limits import FileProblem, limits
from contacts.importing.rejected import MAX_WORKBOOK_ROWS, rejected_rows
from contacts.models import Contact, ContactImport, ContactList, ImportRow
from contacts.services import (
    check_import,
    confirm_import,
    create_list,
    delete_import,
    get_or_create_tag,
    undo_import,
    upload_import,
)
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = ["import_confirm", "import_delete", "import_job", "import_rejected", "import_undo", "imports"]

COUNTED_UP_TO = 10_000
_NOTES = ("opted_out", "no_consent", "agreed_earlier", "consent_ended")


@tenant_view(Permission.IMPORT_CONTACTS)
@require_http_methods(["GET", "POST"])
def imports(request: TenantRequest) -> HttpResponse:
    """Upload a file; below, the files imported before."""
    posted = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = UploadForm(*posted)
    if request.method == "POST" and form.is_valid():
        try:
            job = _upload(request, form.cleaned_data["file"])
        except FileProblem as problem:
            form.add_error("file", str(problem))
        else:
            return redirect("import_job", job.id)
    jobs = ContactImport.objects.order_by("-created_at")[:20]
    context = {"form": form, "jobs": jobs, "limits": limits(request.tenant)}
    return TemplateResponse(request, "contacts/import_list.html", context, status=422 if form.errors else 200)


def _upload(request: TenantRequest, file: UploadedFile[bytes]) -> ContactImport:
    limits().check_bytes(file.size or 0)
    return upload_import(
        tenant=request.tenant,
        file_name=file.name or "contacts.csv",
        content=file.chunks(chunk_size=PART_BYTES),
        user_id=request.user.id,
    )


@tenant_view(Permission.IMPORT_CONTACTS)
@require_http_methods(["GET", "POST"])
def import_job(request: TenantRequest, import_id: UUID) -> HttpResponse:
    """The choices of an uploaded file; then what the check foretells, its progress, and its rows."""
    job = get_object_or_404(ContactImport, id=import_id)
    asks_again = job.status == ContactImport.Status.CHECKED and (request.method == "POST" or "choices" in request.GET)
    if job.status == ContactImport.Status.UPLOADED or asks_again:
        return _choices(request, job)
    if request.htmx and request.GET.get("part") == "progress":
        if job.status not in ContactImport.WORKING:
            # The outcome is another page than the progress.
            return HttpResponseClientRefresh()
        return TemplateResponse(request, "contacts/_import_progress.html", {"job": job})
    return _shown(request, job)


def _shown(request: TenantRequest, job: ContactImport, error: str = "") -> HttpResponse:
    context = {"job": job, "error": error, **_rows(request, job)}
    return TemplateResponse(request, "contacts/import_detail.html", context, status=422 if error else 200)


def _choices(request: TenantRequest, job: ContactImport) -> HttpResponse:
    table = table_of(job)
    initial = {name: getattr(job, name) for name in ("basis", "purposes", "consent_note", "contact_list")}
    form = ImportChoicesForm(
        request.POST if request.method == "POST" else None,
        job=job,
        header=table.header,
        initial={**initial, "tag": job.tag.name if job.tag else ""},
    )
    if request.method == "POST" and form.is_valid():
        try:
            # A refused start leaves no new list and no new tag behind.
            with transaction.atomic():
                _check(job, form)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return redirect("import_job", job.id)
    samples = [row.cells for row in islice(table.rows(), 3)]
    columns = [
        (form[name], [cells[position] if position < len(cells) else "" for cells in samples])
        for position, name in enumerate(form.column_names)
    ]
    context = {"job": job, "form": form, "columns": columns}
    return TemplateResponse(request, "contacts/import_choices.html", context, status=422 if form.errors else 200)


def _check(job: ContactImport, form: ImportChoicesForm) -> None:
    data = form.cleaned_data
    contact_list = data["contact_list"]
    if new_list := data["new_list"].strip():
        contact_list = ContactList.objects.filter(name__iexact=new_list).first() or create_list(name=new_list)
    check_import(
        job=job,
        columns=form.columns(),
        basis=data["basis"],
        purposes=data["purposes"],
        consent_note=data["consent_note"],
        contact_list=contact_list,
        tag=get_or_create_tag(name=data["tag"]) if data["tag"].strip() else None,
    )


@tenant_view(Permission.IMPORT_CONTACTS)
@form_of("import_job")
def import_confirm(request: TenantRequest, import_id: UUID) -> HttpResponse:
    """Import what was checked."""
    job = get_object_or_404(ContactImport, id=import_id)
    try:
        confirm_import(job=job, accepts_warnings=request.POST.get("accepts_warnings") == "yes")
    except ValidationError as error:
        return _shown(request, job, " ".join(error.messages))
    return redirect("import_job", job.id)


@tenant_view(Permission.IMPORT_CONTACTS)
@form_of("import_job")
def import_undo(request: TenantRequest, import_id: UUID) -> HttpResponse:
    """Take back what an import did."""
    job = get_object_or_404(ContactImport, id=import_id)
    try:
        undo_import(job=job)
    except ValidationError as error:
        return _shown(request, job, " ".join(error.messages))
    return redirect("import_job", job.id)


@tenant_view(Permission.IMPORT_CONTACTS)
@form_of("import_job")
def import_delete(request: TenantRequest, import_id: UUID) -> HttpResponse:
    """Delete a file that has not been imported."""
    job = get_object_or_404(ContactImport, id=import_id)
    try:
        delete_import(job=job)
    except ValidationError as error:
        return _shown(request, job, " ".join(error.messages))
    messages.success(request, f"“{job.file_name}” is deleted. Nothing of it was imported.")
    return redirect("imports")


def _rows(request: TenantRequest, job: ContactImport) -> dict[str, object]:
    outcome, note = request.GET.get("outcome", ""), request.GET.get("note", "")
    everything = ImportRow.objects.filter(contact_import=job)
    rows = everything
    if outcome in ImportRow.Outcome.values:
        rows = rows.filter(outcome=outcome)
    if note in _NOTES:
        rows = rows.filter(note=note)
    after = request.GET.get("after", "")
    start = int(after) if after.isdecimal() and len(after) < 9 else 0
    found = list(rows.filter(row_number__gt=start).order_by("row_number")[: PAGE_ROWS + 1])
    contacts = Contact.objects.in_bulk([row.contact_id for row in found if row.contact_id])
    return {
        "rows": [(row, contacts.get(row.contact_id), _changes(row)) for row in found[:PAGE_ROWS]],
        "next": found[PAGE_ROWS - 1].row_number if len(found) > PAGE_ROWS else None,
        "started": start > 0,
        "outcome": outcome,
        "note": note,
        "outcomes": [(value, label, job.counts.get(value, 0)) for value, label in ImportRow.Outcome.choices],
        "notes": {name: at_most(everything.filter(note=name), COUNTED_UP_TO) for name in _NOTES},
        "counted_up_to": COUNTED_UP_TO,
        "people": sum(job.counts.get(name, 0) for name in ("created", "updated", "unchanged")),
        "purposes": [Purpose(purpose).label for purpose in job.purposes],
        "may_campaign": allowed(request.membership.role, Permission.MANAGE_CAMPAIGNS),
    }


def _changes(row: ImportRow) -> list[tuple[str, str, str]]:
    """What the row changes: the name of the value, how it was, how it becomes."""
    before = dict(row.before or {})
    own = before.pop("fields", {})
    changes = [(FIELDS[name], old, getattr(row, name)) for name, old in before.items() if name in FIELDS]
    changes += [(name.replace("_", " ").capitalize(), old or "", row.fields.get(name, "")) for name, old in own.items()]
    return changes


@tenant_view(Permission.IMPORT_CONTACTS)
@require_GET
def import_rejected(request: TenantRequest, import_id: UUID) -> HttpResponse:
    """The rejected rows as a file to correct and upload again."""
    job = get_object_or_404(ContactImport, id=import_id)
    if not job.rows_can_be_read:
        ready = "is ready when the file has been checked" if job.rows_deleted_at is None else "has been deleted"
        messages.info(request, f"The file with the rejected rows {ready}.")
        return redirect("import_job", job.id)
    if request.GET.get("format") == "xlsx":
        return _rejected_workbook(request, job)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejected-rows-{job.id}.csv"'
    response.write("\ufeff")
    csv.writer(response).writerows(rejected_rows(job))
    return response


def _rejected_workbook(request: TenantRequest, job: ContactImport) -> HttpResponse:
    if job.counts.get("rejected", 0) > MAX_WORKBOOK_ROWS:
        messages.info(request, f"A workbook can have {MAX_WORKBOOK_ROWS:,} rejected rows. Take the CSV file.")
        return redirect("import_job", job.id)
    with workbook_of_rows(rejected_rows(job), title="Rejected rows") as file:
        response = HttpResponse(file.read(), content_type=XLSX_TYPE)
    response["Content-Disposition"] = f'attachment; filename="rejected-rows-{job.id}.xlsx"'
    return response
