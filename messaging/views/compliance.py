"""Settings: consent and compliance, as it is in force."""

from typing import Final

from django.conf import settings
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET

from consent.decision import RULES_VERSION
from consent.double_opt_in import wanted
from consent.frequency_limits import policies_in_force
from consent.gate import REASONS, RULES
from consent.keywords import VERSION as KEYWORDS_VERSION
from consent.keywords import keyword_table
from consent.models import DoubleOptIn
from consent.opt_out_scope import chosen
from consent.own_hours import PURPOSES_WITH_HOURS, in_words, week_in_force
from consent.purpose_rules import PURPOSES_WITH_FOOTER, rules_in_force
from consent.purposes import Purpose
from consent.quiet_table import table_in_force
from consent.validity import expiry_in_force
from messaging.auto_replies import text_of
from messaging.hours_form import DAY_NAMES
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission, allowed

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
    "sl": "Slovene",
    "pl": "Polish",
    "ru": "Russian",
    "ar": "Arabic",
    "ja": "Japanese",
    "ko": "Korean",
    "he": "Hebrew",
    "hi": "Hindi",
    "sv": "Swedish",
    "tr": "Turkish",
    "fi": "Finnish",
    "tl": "Tagalog",
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
    weeks = {purpose: in_words(week_in_force(purpose)) for purpose in PURPOSES_WITH_HOURS}
    context = {
        "purposes": PURPOSES_WITH_HOURS,
        "week": [(name, [week[day] for week in weeks.values()]) for day, name in DAY_NAMES.items()],
        "purpose_rules": [(Purpose(purpose), rules) for purpose, rules in rules_in_force().items()],
        "with_footer": PURPOSES_WITH_FOOTER,
        "limits": [(Purpose(purpose), policy) for purpose, policy in policies_in_force().items()],
        "expiry": [(Purpose(purpose), months) for purpose, months in expiry_in_force().items()],
        "opt_out_rules": chosen(),
        "revoke_all_from": settings.REVOKE_ALL_FROM,
        "double_opt_in": [door.label for door in DoubleOptIn.Door if door in wanted().doors],
        "hours_version": table_in_force().version,
        "may_manage": allowed(request.membership.role, Permission.MANAGE_SETTINGS),
        "may_import": allowed(request.membership.role, Permission.IMPORT_CONTACTS),
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
