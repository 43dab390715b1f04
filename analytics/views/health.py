"""Settings > Health: what is stuck and why, and whether the providers' records agree with ours."""

from typing import Final

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET

from analytics.stuck import everything_stuck
from messaging.models import RecordComparison
from messaging.stuck import hold_finding
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["health"]

SHOWN: Final = 30


@tenant_view(Permission.VIEW)
@require_GET
def health(request: TenantRequest) -> HttpResponse:
    """What is stuck, and the newest comparisons."""
    comparisons = RecordComparison.objects.select_related("provider_account").order_by("-since", "-id")[:SHOWN]
    findings = [*hold_finding(), *everything_stuck()]
    return TemplateResponse(request, "analytics/health.html", {"findings": findings, "comparisons": comparisons})
