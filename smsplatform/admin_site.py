"""The platform's own admin: opens for admins with a second step, and has no log-in or password form of its own."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from tenants.models import User
from tenants.platform_admin import PlatformAdmin
from tenants.second_step import has_second_step

__all__ = ["PlatformAdminSite"]


class PlatformAdminSite(AdminSite):
    """Every view of the admin asks ``has_permission`` first; so does each that is added later."""

    def register(
        self, model_or_iterable: Any, admin_class: type[ModelAdmin[Any]] | None = None, **options: Any
    ) -> None:
        """Only pages made for the platform: those of libraries know nothing of tenants, and allow any change."""
        if admin_class is not None and issubclass(admin_class, PlatformAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return super().has_permission(request) and isinstance(user, User) and has_second_step(user)

    @method_decorator(require_safe)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The admin has no log-in of its own: its form would know no limit of failed attempts, and no second step."""
        answer: HttpResponse = secure_admin_login(self._signed_in)(request)
        return answer

    def _signed_in(self, request: HttpRequest) -> HttpResponse:
        return redirect("admin:index" if self.has_permission(request) else "second_step_needed")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Django's own form would end no other sessions and tell nobody."""
        return redirect("account_change_password")
