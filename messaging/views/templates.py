"""Settings: texts kept for reuse; and the part counter that every text box uses."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.forms import add_errors
from common.search import search_text
from consent.purposes import Purpose
from messaging.forms import TemplateForm
from messaging.merge_tags import problems
from messaging.models import MessageTemplate
from messaging.offence import find_offence
from messaging.offered_tags import known_tags, tag_buttons
from messaging.services import delete_template, save_template
from messaging.text import measure
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = ["part_count", "template_delete", "template_edit", "template_new", "templates"]


CAMPAIGN_PURPOSES: Final = (Purpose.MARKETING, Purpose.TRANSACTIONAL)
"""A campaign can be written with a text for one of these."""

_MAX_MEASURED: Final = 5_000


@tenant_view(Permission.VIEW, restricted_too=True)
@require_GET
def templates(request: TenantRequest) -> HttpResponse:
    """All kept texts."""
    search = search_text(request)
    kept = MessageTemplate.objects.order_by("name")
    if search:
        kept = kept.filter(Q(name__icontains=search) | Q(body__icontains=search))
    context = {
        "rows": [(row, measure(row.body)) for row in kept[:500]],
        "q": search,
        "campaign_purposes": CAMPAIGN_PURPOSES,
        "may_manage": allowed(request.membership.role, Permission.MANAGE_SETTINGS),
        "may_write_campaigns": allowed(request.membership.role, Permission.MANAGE_CAMPAIGNS),
    }
    return TemplateResponse(request, "messaging/template_list.html", context)


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "POST"])
def template_new(request: TenantRequest) -> HttpResponse:
    """Write a text to keep."""
    return _edit(request, MessageTemplate())


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "POST"])
def template_edit(request: TenantRequest, template_id: UUID) -> HttpResponse:
    """Change a kept text; what was sent with it stays as it was."""
    return _edit(request, get_object_or_404(MessageTemplate, id=template_id))


@tenant_view(Permission.MANAGE_SETTINGS)
@require_POST
def template_delete(request: TenantRequest, template_id: UUID) -> HttpResponse:
    """Delete a kept text."""
    delete_template(template=get_object_or_404(MessageTemplate, id=template_id))
    messages.success(request, "Template deleted.")
    return redirect("templates")


def _edit(request: TenantRequest, template: MessageTemplate) -> HttpResponse:
    form = TemplateForm(request.POST if request.method == "POST" else None, instance=template)
    if request.method == "POST" and form.is_valid():
        try:
            save_template(template=form.instance)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Template saved.")
            return redirect("templates")
    typed = str(form["body"].value() or "")
    context = {
        "form": form,
        "template": template,
        "is_new": template._state.adding,
        "tags": tag_buttons(),
        "with_tags": True,
        **_measured(typed[:_MAX_MEASURED]),
    }
    return TemplateResponse(request, "messaging/template_form.html", context, status=422 if form.errors else 200)


@tenant_view(Permission.VIEW, restricted_too=True)
@require_POST
def part_count(request: TenantRequest) -> HttpResponse:
    """How many parts the text in a box would cost, and which character makes it cost more.

    ``with_tags`` also says what is wrong with its merge tags; a reply has none. ``short`` is for a narrow place.
    """
    context = _measured(request.POST.get("body", "")[:_MAX_MEASURED])
    context |= {"with_tags": bool(request.GET.get("with_tags")), "short": bool(request.GET.get("short"))}
    return TemplateResponse(request, "messaging/_part_count.html", context)


def _measured(body: str) -> dict[str, object]:
    return {
        "body": body,
        "measured": measure(body),
        "offence": find_offence(body),
        "problems": problems(body, known_tags()),
    }
