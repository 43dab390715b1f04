"""Platform admin: a tenant's contacts and imports, to look at."""

from django.contrib import admin

from contacts.models import Contact, ContactImport
from tenants.platform_admin import TenantDataAdmin, masked_number, masked_text

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

    list_display = ("file_name", "status", "rows_total", "rows_done", "created_at", "finished_at")
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
        "problem",
        "tries",
        "leased_until",
        "created_at",
        "finished_at",
    )
