"""What every dashboard page shows around its content."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from smsplatform.navigation import navigation

__all__ = ["dashboard"]


def dashboard(request: HttpRequest) -> dict[str, object]:
    """Template variables of the frame; outside a tenant's scope only those that need none."""
    frame: dict[str, object] = {
        "demo": settings.SIMULATOR_ENABLED,
        "signup_open": settings.SIGNUP_OPEN,
        "phones_url": reverse("phones") if settings.SIMULATOR_ENABLED else "",
    }
    membership = getattr(request, "membership", None)
    if membership is None:
        return frame
    return {
        **frame,
        "tenant": membership.tenant,
        "membership": membership,
        "navigation": navigation(
            request.path, membership.role, in_trial=membership.tenant.in_trial, restricted=membership.is_restricted
        ),
        "search_url": reverse("contacts"),
        "tenant_switch_url": reverse("tenant_switch"),
    }
