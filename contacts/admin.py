"""Platform admin: a tenant's contacts and imports, to look at."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from contacts.models import Contact, ContactImport
from contacts.services import refuse_import, release_import
from tenants.platform_admin import TenantDataAdmin, confirm, masked_number, masked_text

__all__ = ["ContactAdmin", "ContactImportAdmin"]


@admin.register(Contact)
class ContactAdmin(TenantDataAdmin[Contact]):
    """People a tenant knows: names, numbers and addresses are hidden until a reason is given."""

    masked_number = masked_number()
    masked_email = masked_text("email")
    list_display = ("id", "masked_number", "language", "timezone", "created_at")
    search_by = "number"
    fields = (
        "id",
        "masked_number",
        "masked_email",
        "language",
        "timezone",
        "timezone_source",
        "created_at",
        "updated_at",
    )
    reveals = ("number", "first_name", "last_name", "email")


@admin.register(ContactImport)
class ContactImportAdmin(TenantDataAdmin[ContactImport]):
    """Imported files; their rows are the tenant's alone."""

    list_display = ("file_name", "status", "rows_total", "rows_done", "review_asked_at", "created_at", "finished_at")
    actions = ("release", "refuse")
    fields = (
        "file_name",
        "sha256",
        "status",
        "columns",
        "basis",
        "purposes",
        "rows_total",
        "rows_done",
        "counts",
        "warnings",
        "review_asked_at",
        "released_at",
        "review_refusal",
        "problem",
        "tries",
        "leased_until",
        "created_at",
        "finished_at",
    )

    @admin.action(description="Let it be imported")
    def release(self, request: HttpRequest, chosen: QuerySet[ContactImport]) -> HttpResponse | None:
        """For files of a tenant in trial that look like bought lists."""
        return confirm(
            self,
            request,
            chosen,
            question="Let these files be imported?",
            consequence="The people in them become contacts as soon as the tenant says so once more.",
            act=lambda job: release_import(job=job),
        )

    @admin.action(description="Refuse to let it be imported")
    def refuse(self, request: HttpRequest, chosen: QuerySet[ContactImport]) -> HttpResponse | None:
        """The tenant reads the reason on the page of the import."""
        reason = request.POST.get("reason", "").strip()
        return confirm(
            self,
            request,
            chosen,
            question="Refuse to let these files be imported?",
            consequence="They stay out. The tenant reads the reason.",
            act=lambda job: refuse_import(job=job, reason=reason),
            ask_reason=True,
        )
