"""What all pages of the platform admin (Django's admin) share.

Deny by default: a model can be looked at, and only what its admin class allows can be added or changed; nothing is
ever deleted. No page counts a big table, sorts by what has no index, or answers a filter that nobody declared.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar, Final, TypeVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import display_for_value, label_for_field, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern, path

from common.pages import at_most
from common.phone_numbers import NumberProblem, parse
from tenants.audit import acting, record
from tenants.owned import TenantOwned
from tenants.platform_access import chosen_tenant, note_listed, note_viewed, platform_actor
from tenants.scope import tenant_scope

__all__ = ["NEWEST", "ModelT", "PlatformAdmin", "TenantDataAdmin", "confirm", "masked_number", "masked_text"]

NEWEST: Final = 2_000
"""So many rows of a list can be paged through; older ones are found by searching."""
MOST_AT_ONCE: Final = 100

ModelT = TypeVar("ModelT", bound=Model)
OwnedT = TypeVar("OwnedT", bound=TenantOwned)
Display = Callable[[Any, Any], str]


def masked_number(field: str = "number") -> Display:
    """A column with a phone number of which only the first and the last two characters are shown."""

    @admin.display(description=field.replace("_", " "))
    def shown(_: object, thing: Model) -> str:
        number = str(getattr(thing, field) or "")
        return f"{number[:2]}…{number[-2:]}" if number else ""

    return shown


def masked_text(field: str) -> Display:
    """A column that says how long a text is, not what it says."""

    @admin.display(description=field.replace("_", " "))
    def shown(_: object, thing: Model) -> str:
        length = len(str(getattr(thing, field) or ""))
        return f"{length} character{'' if length == 1 else 's'}"

    return shown


class _NewestOnly(Paginator[Any]):
    """Pages through the newest rows; never counts further than those."""

    @cached_property
    def count(self) -> int:
        return min(at_most(cast("QuerySet[Any]", self.object_list), NEWEST), NEWEST)


class PlatformAdmin(admin.ModelAdmin[ModelT]):
    """A model that platform admins may look at, whoever of them it is."""

    may_add = False
    may_change = False
    search_by = ""
    """The field that the search box finds exactly; empty for no search."""
    sortable_by: ClassVar[tuple[str, ...]] = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = _NewestOnly
    list_per_page = 50
    list_max_show_all = 50

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return bool(request.user.is_active and getattr(request.user, "is_staff", False))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add and self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return self.may_change and self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only the filters of the page: any other lookup could guess masked values, or search without an index."""
        return lookup.partition("__")[0] in self.list_filter

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (self.search_by,) if self.search_by else ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ModelT], search_term: str
    ) -> tuple[QuerySet[ModelT], bool]:
        term = search_term.strip()
        return (self.found(request, queryset, term), False) if term and self.search_by else (queryset, False)

    def found(self, request: HttpRequest, rows: QuerySet[ModelT], term: str) -> QuerySet[ModelT]:
        """The rows that a search finds."""
        return rows.filter(**{self.search_by: term})


class ReasonForm(forms.Form):
    """Why hidden values are shown."""

    reason = forms.CharField(
        label="Reason",
        min_length=10,
        max_length=200,
        help_text="The tenant reads it in its audit log, for example: Ticket 4711, text was not delivered.",
    )


class TenantDataAdmin(PlatformAdmin[OwnedT]):
    """Data of the tenant that the admin has chosen. Each look at it stands in that tenant's audit log."""

    reveals: Sequence[str] = ()
    """Fields whose values are hidden until the admin gives a reason."""
    ordering = ("-id",)
    change_form_template = "admin/tenant_data_form.html"

    def get_readonly_fields(self, request: HttpRequest, obj: OwnedT | None = None) -> Any:
        return super().get_readonly_fields(request, obj) if self.may_change else self.get_fields(request, obj)

    def found(self, request: HttpRequest, rows: QuerySet[OwnedT], term: str) -> QuerySet[OwnedT]:
        tenant = chosen_tenant(request)
        if self.search_by != "number" or tenant is None:
            return super().found(request, rows, term)
        try:
            return rows.filter(number=parse(term, tenant.country).e164)
        except NumberProblem:
            messages.warning(request, "Search by a whole phone number.")
            return rows.none()

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_reveal"
        view = self.admin_site.admin_view(self.reveal_view)
        return [path("<path:object_id>/reveal/", view, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        listed = str(self.opts.verbose_name_plural)
        view = super().changelist_view
        return self._in_tenant(request, lambda extra: view(request, extra), lambda _: note_listed(listed))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        view = super().changeform_view
        return self._in_tenant(request, lambda extra: view(request, object_id, form_url, extra), self._note_object)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        raise PermissionDenied("Nothing is deleted here.")

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What was done to it stands in the tenant's audit log."""
        raise Http404

    def reveal_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The hidden values of one thing, for a reason that the tenant can read."""
        return self._in_tenant(request, lambda extra: self._reveal(request, object_id, extra), lambda _: None)

    def save_model(self, request: HttpRequest, obj: OwnedT, form: ModelForm[OwnedT], change: bool) -> None:  # noqa: FBT001
        """Keep it, and what changed in the tenant's audit log."""
        known = self.model._default_manager.filter(pk=obj.pk).first() if change else None
        obj.save()
        names = [name for name in form.changed_data if hasattr(obj, name)]
        after = {name: getattr(obj, name) for name in names}
        if known is None:
            record("platform.added", target=obj, after=after)
        elif after:
            record("platform.changed", target=obj, before={name: getattr(known, name) for name in names}, after=after)

    def _in_tenant(
        self,
        request: HttpRequest,
        run: Callable[[dict[str, Any]], HttpResponseBase],
        note: Callable[[SimpleTemplateResponse], None],
    ) -> HttpResponseBase:
        tenant = chosen_tenant(request)
        if tenant is None:
            messages.warning(request, "Choose a tenant first: open it and press “Work on its data”.")
            return redirect("admin:tenants_tenant_changelist")
        with tenant_scope(tenant.id), acting(platform_actor(request)):
            response = run({"working_on": tenant, "reveals": self.reveals})
            if isinstance(response, SimpleTemplateResponse):
                response.render()
                note(response)
        return response

    def _note_object(self, response: SimpleTemplateResponse) -> None:
        thing = (response.context_data or {}).get("original")
        if thing is not None:
            note_viewed(thing)

    def _reveal(self, request: HttpRequest, object_id: str, context: dict[str, Any]) -> HttpResponse:
        thing = self.get_object(request, unquote(object_id))
        if thing is None or not self.reveals:
            raise Http404
        form = ReasonForm(request.POST if request.method == "POST" else None)
        values: list[tuple[str, str]] = []
        if request.method == "POST" and form.is_valid():
            record("platform.revealed", target=thing, target_name="", after={"reason": form.cleaned_data["reason"]})
            values = [
                (str(label_for_field(name, self.model)), str(display_for_value(getattr(thing, name), "")))
                for name in self.reveals
            ]
        context |= {**self.admin_site.each_context(request), "title": "Show what is hidden", "opts": self.opts}
        context |= {"form": form, "values": values, "thing_id": thing.pk}
        return TemplateResponse(request, "admin/reveal.html", context, status=422 if form.errors else 200)


def confirm(
    model_admin: PlatformAdmin[ModelT],
    request: HttpRequest,
    chosen: QuerySet[ModelT],
    *,
    question: str,
    consequence: str,
    act: Callable[[ModelT], None],
    ask_reason: bool = False,
) -> HttpResponse | None:
    """An action of a list: first a page that says what will happen and to whom, then the act for each.

    ``act`` raises ``ValidationError`` for one that it cannot be done to; the others are done. ``ask_reason`` has the
    page ask for a reason, which comes as ``reason``.
    """
    things = list(chosen[: MOST_AT_ONCE + 1])
    if len(things) > MOST_AT_ONCE:
        messages.error(request, f"Choose at most {MOST_AT_ONCE} at once.")
        return None
    reason_missing = ask_reason and not request.POST.get("reason", "").strip()
    if not request.POST.get("confirmed") or reason_missing:
        context = {
            **model_admin.admin_site.each_context(request),
            "title": question,
            "consequence": consequence,
            "things": things,
            "ask_reason": ask_reason,
            "reason_missing": reason_missing and bool(request.POST.get("confirmed")),
            "opts": model_admin.opts,
            "action": request.POST.get("action", ""),
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)
    done = 0
    for thing in things:
        try:
            act(thing)
        except ValidationError as error:
            messages.error(request, f"{thing}: {' '.join(error.messages)}")
        else:
            model_admin.log_change(request, thing, question)
            done += 1
    if done:
        messages.success(request, f"{question.rstrip('?')}: done for {done}.")
    return None
