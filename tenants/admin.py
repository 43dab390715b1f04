"""Platform admin: customer accounts and the people who sign in. Read-mostly; members are managed by their owners."""

from django.contrib import admin

from tenants.models import Tenant, User

__all__ = ["TenantAdmin", "UserAdmin"]


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin[Tenant]):
    """Customer accounts."""

    list_display = ("name", "slug", "status", "country", "timezone", "created_at")
    list_filter = ("status", "country")
    search_fields = ("name", "slug")
    readonly_fields = ("slug", "created_at")

    def has_delete_permission(self, request: object, obj: Tenant | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
    """People who sign in."""

    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_staff", "last_login", "date_joined")
    readonly_fields = ("email", "last_login", "date_joined")

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: User | None = None) -> bool:
        return False
