"""All addresses of the product. The guard test walks this tree: each view declares who may call it."""

from collections.abc import Callable

from allauth.account import views as accounts
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.http import require_safe

from contacts import urls as contacts
from smsplatform import health
from tenants.access import public_view
from tenants.platform_admin import PlatformAdmin
from tenants.views.signing_up import sign_up

_SIGNING_IN = "signing in and choosing a password happen before there is a member"

handler400 = "smsplatform.errors.bad_request"
handler403 = "smsplatform.errors.not_allowed"
handler404 = "smsplatform.errors.not_found"
handler500 = "smsplatform.errors.server_error"

# Libraries bring pages of their own, which know nothing of tenants and of what may be changed.
for _model in [model for model, page in admin.site._registry.items() if not isinstance(page, PlatformAdmin)]:
    admin.site.unregister(_model)
# The admin has no log-in of its own: its form would know no limit of failed attempts.
admin.site.login = require_safe(secure_admin_login(admin.site.login))  # type: ignore[method-assign]


def _account(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
    return path(route, public_view(_SIGNING_IN)(view), name=name)


urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("analytics.urls")),
    path("inbox/", include("support.urls")),
    path("contacts/", include("contacts.urls")),
    path("settings/", include(contacts.settings_urlpatterns)),
    path("campaigns/", include("campaigns.urls")),
    path("", include("messaging.urls")),
    path("", include("tenants.urls")),
    _account("accounts/login/", accounts.login, "account_login"),
    _account("accounts/signup/", sign_up, "account_signup"),
    _account("accounts/logout/", accounts.logout, "account_logout"),
    _account("accounts/confirm/", accounts.reauthenticate, "account_reauthenticate"),
    _account("accounts/confirm-email/", accounts.email_verification_sent, "account_email_verification_sent"),
    _account("accounts/password/change/", accounts.password_change, "account_change_password"),
    _account("accounts/password/set/", accounts.password_set, "account_set_password"),
    _account("accounts/password/reset/", accounts.password_reset, "account_reset_password"),
    _account("accounts/password/reset/done/", accounts.password_reset_done, "account_reset_password_done"),
    # Not a path converter: the key holds a hyphen too, and the user's part must end at the first one.
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        public_view(_SIGNING_IN)(accounts.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    _account(
        "accounts/password/reset/key/done/",
        accounts.password_reset_from_key_done,
        "account_reset_password_from_key_done",
    ),
    path("admin/", admin.site.urls),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
