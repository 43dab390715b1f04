"""Platform admin: customer accounts, the people who sign in, members and the audit log."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from tenants.audit import acting, record
from tenants.models import AuditEntry, Membership, Tenant, User
from tenants.platform_access import choose_tenant, note_viewed, platform_actor
from tenants.platform_admin import PlatformAdmin, TenantDataAdmin, confirm
from tenants.scope import tenant_scope
from tenants.services import approve_tenant, reject_approval
from tenants.services.platform import (
    deactivate_user,
    reactivate_user,
    reset_second_step,
    resume_tenant,
    sign_out_user,
    suspend_tenant,
)

__all__ = ["AuditEntryAdmin", "MembershipAdmin", "TenantAdmin", "UserAdmin"]


@admin.register(Tenant)
class TenantAdmin(PlatformAdmin[Tenant]):
    """Customer accounts, and the way into the data of one of them."""

    may_change = True
    change_form_template = "admin/tenant_form.html"
    list_display = (
        "name",
        "slug",
        "status",
        "approved_at",
        "approval_asked_at",
        "import_review_asked_at",
        "country",
        "created_at",
    )
    list_filter = ("status", "country")
    search_by = "slug"
    ordering = ("-id",)
    fields = (
        "name",
        "slug",
        "status",
        "approved_at",
        "country",
        "timezone",
        "brand_name",
        "help_contact",
        "approval_asked_at",
        "approval_plan",
        "approval_refusal",
        "trial_texts_per_day",
        "most_senders",
        "most_import_rows",
        "most_import_files",
        "import_review_asked_at",
        "created_at",
    )
    readonly_fields = (
        "slug",
        "status",
        "approved_at",
        "approval_asked_at",
        "approval_plan",
        "approval_refusal",
        "import_review_asked_at",
        "created_at",
    )
    actions = ("approve", "refuse", "suspend", "resume")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.work_on)
        return [path("<path:object_id>/work/", view, name="tenants_tenant_work"), *super().get_urls()]

    @method_decorator(require_POST)
    def work_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Choose this tenant: the lists of data show its rows from now on."""
        tenant = self.get_object(request, unquote(object_id))
        if tenant is None:
            raise Http404
        choose_tenant(request, tenant)
        self.message_user(request, f"The lists below show the data of {tenant}. It can read what you look at.")
        return redirect("admin:index")

    def found(self, request: HttpRequest, rows: QuerySet[Tenant], term: str) -> QuerySet[Tenant]:
        return rows.filter(slug__startswith=term.lower())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        tenant = self.get_object(request, unquote(object_id))
        if tenant is None:
            return super().change_view(request, object_id, form_url, extra_context)
        with tenant_scope(tenant.id), acting(platform_actor(request)):
            if request.method == "GET":
                note_viewed(tenant)
            return super().change_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Tenant, form: ModelForm[Tenant], change: bool) -> None:  # noqa: FBT001
        """Write only what was changed on the page: the rest of the row was read earlier, and may be old by now."""
        obj.save(update_fields=form.changed_data)
        before = {name: form.initial.get(name) for name in form.changed_data}
        record("tenant.changed", target=obj, before=before, after={name: getattr(obj, name) for name in before})

    @admin.action(description="Approve")
    def approve(self, request: HttpRequest, chosen: QuerySet[Tenant]) -> HttpResponse | None:
        """End the trial of some tenants."""
        return self._confirm(
            request,
            chosen,
            question="Approve these accounts?",
            consequence="Their trial ends: they can text everybody who agreed. Their owners get a mail.",
            act=approve_tenant,
        )

    @admin.action(description="Refuse approval")
    def refuse(self, request: HttpRequest, chosen: QuerySet[Tenant]) -> HttpResponse | None:
        """Leave some tenants in trial, and say why."""
        return self._confirm(
            request,
            chosen,
            question="Refuse to approve these accounts?",
            consequence="They stay in trial. Their owners get a mail with the reason.",
            act=partial(reject_approval, reason=request.POST.get("reason", "").strip()),
            ask_reason=True,
        )

    @admin.action(description="Suspend")
    def suspend(self, request: HttpRequest, chosen: QuerySet[Tenant]) -> HttpResponse | None:
        """Stop all sending of some tenants."""
        return self._confirm(
            request,
            chosen,
            question="Suspend these accounts?",
            consequence="Nothing more is sent for them: queued texts and running campaigns wait or are refused with that "
            "reason. Incoming texts are taken, and STOP holds. Their members can still sign in and read.",
            act=suspend_tenant,
        )

    @admin.action(description="Resume")
    def resume(self, request: HttpRequest, chosen: QuerySet[Tenant]) -> HttpResponse | None:
        """Let suspended tenants send again."""
        return self._confirm(
            request,
            chosen,
            question="Resume these accounts?",
            consequence="They can send again from now on.",
            act=resume_tenant,
        )

    def _confirm(
        self,
        request: HttpRequest,
        chosen: QuerySet[Tenant],
        *,
        question: str,
        consequence: str,
        act: Any,
        ask_reason: bool = False,
    ) -> HttpResponse | None:
        def inside(tenant: Tenant) -> None:
            with tenant_scope(tenant.id), acting(platform_actor(request)):
                act(tenant=tenant)

        return confirm(
            self,
            request,
            chosen,
            question=question,
            consequence=consequence,
            act=inside,
            ask_reason=ask_reason,
        )


@admin.register(User)
class UserAdmin(PlatformAdmin[User]):
    """People who sign in. Passwords and second steps are their own: both can be made void, neither can be set."""

    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_by = "email"
    ordering = ("-id",)
    fields = ("email", "name", "is_active", "is_staff", "last_login", "date_joined")
    readonly_fields = fields
    actions = ("deactivate", "reactivate", "reset_second_step", "sign_out")

    def found(self, request: HttpRequest, rows: QuerySet[User], term: str) -> QuerySet[User]:
        return rows.filter(email__iexact=term)

    @admin.action(description="Deactivate")
    def deactivate(self, request: HttpRequest, chosen: QuerySet[User]) -> HttpResponse | None:
        """Close accounts."""
        return self._confirm(
            request,
            chosen,
            question="Deactivate these people's accounts?",
            consequence="They are signed out everywhere and cannot sign in. Their tenants read it in their audit logs.",
            act=lambda user: deactivate_user(user=user, by=request.user),  # type: ignore[arg-type]
        )

    @admin.action(description="Reactivate")
    def reactivate(self, request: HttpRequest, chosen: QuerySet[User]) -> HttpResponse | None:
        """Open closed accounts again."""
        return self._confirm(
            request,
            chosen,
            question="Reactivate these people's accounts?",
            consequence="They can sign in again with their password and second step.",
            act=lambda user: reactivate_user(user=user),
        )

    @admin.action(description="Reset the second step")
    def reset_second_step(self, request: HttpRequest, chosen: QuerySet[User]) -> HttpResponse | None:
        """For people who lost all their second steps."""
        return self._confirm(
            request,
            chosen,
            question="Reset the second step of these people?",
            consequence="Make sure first that it is them who ask. Their authenticator apps, passkeys and recovery codes are "
            "removed, they are signed out everywhere, and they get a mail. The password stays.",
            act=lambda user: reset_second_step(user=user, by=request.user),  # type: ignore[arg-type]
        )

    @admin.action(description="Sign out everywhere")
    def sign_out(self, request: HttpRequest, chosen: QuerySet[User]) -> HttpResponse | None:
        """End all sessions."""
        return self._confirm(
            request,
            chosen,
            question="Sign these people out everywhere?",
            consequence="All their sessions end now. They can sign in again.",
            act=lambda user: sign_out_user(user=user),
        )

    def _confirm(
        self, request: HttpRequest, chosen: QuerySet[User], *, question: str, consequence: str, act: Any
    ) -> HttpResponse | None:
        with acting(platform_actor(request)):
            return confirm(self, request, chosen, question=question, consequence=consequence, act=act)


@admin.register(Membership)
class MembershipAdmin(TenantDataAdmin[Membership]):
    """Who works in the tenant; its owners manage them."""

    list_display = ("shown_name", "role", "is_active", "created_at", "accepted_at")
    list_select_related = ("user",)
    fields = ("shown_name", "role", "is_active", "created_at", "accepted_at")


@admin.register(AuditEntry)
class AuditEntryAdmin(TenantDataAdmin[AuditEntry]):
    """What was done in the tenant; nobody can change it."""

    list_display = ("at", "actor_name", "by_platform", "action", "target_kind", "target_name")
    fields = (
        "at",
        "actor_name",
        "by_platform",
        "address",
        "action",
        "target_kind",
        "target_id",
        "target_name",
        "before",
        "after",
    )
