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

from common.forms import add_errors
from common.pages import PAGE_ROWS, at_most
from consent.purposes import Purpose
from contacts.forms import ImportChoicesForm, UploadForm
from contacts.importing.decoding import MAX_FILE_BYTES, FileProblem, read_table
from contacts.importing.rejected import rejected_rows
from contacts.models import ContactImport, ContactList, ImportFile, ImportRow
from contacts.services import create_list, get_or_create_tag, start_import, upload_import
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = ["import_job", "import_rejected", "imports"]

COUNTED_UP_TO = 10_000
_NOTES = ("opted_out", "no_consent", "agreed_earlier")
_ENDED = (ContactImport.Status.DONE, ContactImport.Status.FAILED)


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
    context = {"form": form, "jobs": jobs, "max_megabytes": MAX_FILE_BYTES // 1024 // 1024}
    return TemplateResponse(request, "contacts/import_list.html", context, status=422 if form.errors else 200)


def _upload(request: TenantRequest, file: UploadedFile[bytes]) -> ContactImport:
    if (file.size or 0) > MAX_FILE_BYTES:
        raise FileProblem(
            f"The file is larger than {MAX_FILE_BYTES // 1024 // 1024} MB. Split it and import the parts."
        )
    return upload_import(
        tenant=request.tenant, file_name=file.name or "contacts.csv", content=file.read(), user_id=request.user.id
    )


@tenant_view(Permission.IMPORT_CONTACTS)
@require_http_methods(["GET", "POST"])
def import_job(request: TenantRequest, import_id: UUID) -> HttpResponse:
    """The choices of an uploaded file; once started, its progress and its rows."""
    job = get_object_or_404(ContactImport, id=import_id)
    if job.status == ContactImport.Status.UPLOADED:
        return _choices(request, job)
    if request.htmx and request.GET.get("part") == "progress":
        if job.status in _ENDED:
            # The outcome is another page than the progress.
            return HttpResponseClientRefresh()
        return TemplateResponse(request, "contacts/_import_progress.html", {"job": job})
    return TemplateResponse(request, "contacts/import_detail.html", {"job": job, **_rows(request, job)})


def _choices(request: TenantRequest, job: ContactImport) -> HttpResponse:
    table = read_table(bytes(ImportFile.objects.get(contact_import=job).content))
    form = ImportChoicesForm(request.POST if request.method == "POST" else None, job=job, header=table.header)
    if request.method == "POST" and form.is_valid():
        try:
            # A refused start leaves no new list and no new tag behind.
            with transaction.atomic():
                _start(job, form)
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


def _start(job: ContactImport, form: ImportChoicesForm) -> None:
    data = form.cleaned_data
    contact_list = data["contact_list"]
    if new_list := data["new_list"].strip():
        contact_list = ContactList.objects.filter(name__iexact=new_list).first() or create_list(name=new_list)
    start_import(
        job=job,
        columns=form.columns(),
        basis=data["basis"],
        purposes=data["purposes"],
        consent_note=data["consent_note"],
        contact_list=contact_list,
        tag=get_or_create_tag(name=data["tag"]) if data["tag"].strip() else None,
    )


def _rows(request: TenantRequest, job: ContactImport) -> dict[str, object]:
    outcome, note = request.GET.get("outcome", ""), request.GET.get("note", "")
    everything = ImportRow.objects.filter(contact_import=job)
    rows = everything.select_related("contact")
    if outcome in ImportRow.Outcome.values:
        rows = rows.filter(outcome=outcome)
    if note in _NOTES:
        rows = rows.filter(note=note)
    after = request.GET.get("after", "")
    start = int(after) if after.isdecimal() and len(after) < 9 else 0
    found = list(rows.filter(row_number__gt=start).order_by("row_number")[: PAGE_ROWS + 1])
    return {
        "rows": found[:PAGE_ROWS],
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


@tenant_view(Permission.IMPORT_CONTACTS)
@require_GET
def import_rejected(request: TenantRequest, import_id: UUID) -> HttpResponse:
    """The rejected rows as a file to correct and upload again."""
    job = get_object_or_404(ContactImport, id=import_id)
    if job.status != ContactImport.Status.DONE:
        messages.info(request, "The file with the rejected rows is ready when the import is done.")
        return redirect("import_job", job.id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejected-rows-{job.id}.csv"'
    response.write("\ufeff")
    csv.writer(response).writerows(rejected_rows(job))
    return response
