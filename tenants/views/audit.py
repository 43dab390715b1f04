"""Settings: the audit log."""

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.timezone import localdate
from django.views.decorators.http import require_GET

from common.form_pages import form_of
from common.pages import Page, page_by_id
from tenants.access import TenantRequest, tenant_view
from tenants.audit import record
from tenants.audit_export import export_rows
from tenants.audit_form import AuditSearchForm
from tenants.audit_log import as_lines, entries
from tenants.confirmation import recently_confirmed
from tenants.models import AuditEntry, Membership
from tenants.permissions import Permission

__all__ = ["audit_export", "audit_log"]

MOST_PEOPLE = 500


@tenant_view(Permission.VIEW_AUDIT)
@require_GET
def audit_log(request: TenantRequest) -> HttpResponse:
    """Who did what, newest first."""
    form = AuditSearchForm(request.GET, people=_people())
    page: Page[AuditEntry] = Page([], "", started=False)
    zone = request.tenant.timezone
    if form.is_valid():
        page = page_by_id(entries(form.search(zone)), request.GET.get("before"))
    context = {
        "form": form,
        "page": page,
        "lines": list(as_lines(page.rows, zone=zone)),
        "searching": any(request.GET.get(name) for name in form.fields),
    }
    return TemplateResponse(request, "tenants/audit_log.html", context, status=422 if form.errors else 200)


@tenant_view(Permission.VIEW_AUDIT)
@recently_confirmed
@form_of("audit_log")
def audit_export(request: TenantRequest) -> HttpResponseBase:
    """The entries that the page shows, all of them, as a file."""
    form = AuditSearchForm(request.POST, people=_people())
    if not form.is_valid():
        return redirect("audit_log")
    record("audit.exported", after={name: value for name, value in form.cleaned_data.items() if value})
    rows = export_rows(request.tenant.id, form.search(request.tenant.timezone))
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-log-{localdate():%Y-%m-%d}.csv"'
    return response


def _people() -> list[tuple[str, str]]:
    """Everybody who is or was a member."""
    members = Membership.objects.select_related("user").order_by("user__name", "user__email")[:MOST_PEOPLE]
    return [(str(member.user_id), member.shown_name) for member in members]
