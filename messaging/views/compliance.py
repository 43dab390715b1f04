"""Settings: consent and compliance, as it is in force."""

from typing import Final

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


_LANGUAGES: Final = {
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "pt": "Portuguese",
    "de": "German",
    "it": "Italian",
    "nl": "Dutch",
    "zh": "Chinese",
    "vi": "Vietnamese",
}
_REPLIES: Final = (
    ("STOP", "opt_out_confirmation"),
    ("START", "opt_in_confirmation"),
    ("HELP", "help_reply"),
)
_REPLY_LANGUAGES: Final = ("en", "es", "fr")


@tenant_view(Permission.VIEW, restricted_too=True)
@require_GET
def compliance(request: TenantRequest) -> HttpResponse:
    """The rules of the gate in their order, the keywords, and what is answered to them."""
    context = {
        "rules": [(rule.__doc__ or "", REASONS[rule.__name__]) for rule in RULES],
        "rules_version": RULES_VERSION,
        "keywords": [(code, _LANGUAGES.get(code, code), words) for code, words in keyword_table().items()],
        "keywords_version": KEYWORDS_VERSION,
        "replies": [
            (code, _LANGUAGES[code], [(keyword, text_of(reply, request.tenant, code)) for keyword, reply in _REPLIES])
            for code in _REPLY_LANGUAGES
        ],
    }
    return TemplateResponse(request, "messaging/compliance.html", context)
