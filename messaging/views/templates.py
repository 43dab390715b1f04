"""Settings: texts kept for reuse; and the part counter that every text box uses."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.forms import add_errors
from messaging.forms import TemplateForm
from messaging.models import MessageTemplate
from messaging.services import save_template
from messaging.text import first_offender, measure, replacement_for
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

__all__ = ["part_count", "template_delete", "template_edit", "template_new", "templates"]


@tenant_view(Permission.VIEW)
@require_GET
def templates(request: TenantRequest) -> HttpResponse:
    """All kept texts."""
    rows = [(row, measure(row.body)) for row in MessageTemplate.objects.order_by("name")[:500]]
    may_manage = allowed(request.membership.role, Permission.MANAGE_SETTINGS)
    return TemplateResponse(request, "messaging/template_list.html", {"rows": rows, "may_manage": may_manage})


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
    get_object_or_404(MessageTemplate, id=template_id).delete()
    messages.success(request, "Template deleted.")
    return redirect("templates")


def _edit(request: TenantRequest, template: MessageTemplate) -> HttpResponse:
    form = TemplateForm(request.POST or None, instance=template)
    if request.method == "POST" and form.is_valid():
        try:
            save_template(template=form.instance)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Template saved.")
            return redirect("templates")
    context = {"form": form, "template": template, **_measured(template.body)}
    return TemplateResponse(request, "messaging/template_form.html", context, status=422 if form.errors else 200)


@tenant_view(Permission.VIEW)
@require_POST
def part_count(request: TenantRequest) -> HttpResponse:
    """How many parts the text in a box would cost, and which character makes it cost more."""
    return TemplateResponse(request, "messaging/_part_count.html", _measured(request.POST.get("body", "")[:5000]))


def _measured(body: str) -> dict[str, object]:
    offence = first_offender(body)
    character = offence[1] if offence else ""
    return {
        "measured": measure(body),
        "offender": character,
        "replacement": replacement_for(character) if character else None,
    }
