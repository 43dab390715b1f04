"""Settings: consent and compliance, as it is in force."""

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET

from consent.gate import REASONS, RULES, RULES_VERSION
from consent.keywords import VERSION as KEYWORDS_VERSION
from consent.keywords import keyword_table
from messaging.auto_replies import text_of
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["compliance"]


@tenant_view(Permission.VIEW)
@require_GET
def compliance(request: TenantRequest) -> HttpResponse:
    """The rules of the gate in their order, the keywords, and what is answered to them."""
    replies = [
        (language, [text_of(reply, request.tenant, code) for reply in ("opt_out_confirmation", "opt_in_confirmation", "help_reply")])
        for code, language in (("en", "English"), ("es", "Spanish"), ("fr", "French"))
    ]
    context = {
        "rules": [(rule.__doc__ or "", REASONS[rule.__name__]) for rule in RULES],
        "rules_version": RULES_VERSION,
        "keywords": keyword_table(),
        "keywords_version": KEYWORDS_VERSION,
        "replies": replies,
    }
    return TemplateResponse(request, "messaging/compliance.html", context)
