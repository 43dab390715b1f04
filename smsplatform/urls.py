"""All addresses of the product. The guard test walks this tree: each view declares who may call it."""

from collections.abc import Callable

from allauth.account import views as accounts
from allauth.mfa.base import views as second_steps
from allauth.mfa.webauthn import views as passkeys
from django.contrib import admin
from django.http import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from contacts import urls as contacts
from smsplatform import health
from tenants.access import personal_view, public_view
from tenants.confirmation import recently_confirmed
from tenants.views import second_step
from tenants.views.signing_up import confirm_email, sign_up

_SIGNING_IN = "signing in and choosing a password happen before there is a member"

handler400 = "smsplatform.errors.bad_request"
handler403 = "smsplatform.errors.not_allowed"
handler404 = "smsplatform.errors.not_found"
handler500 = "smsplatform.errors.server_error"


def _account(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
    return path(route, public_view(_SIGNING_IN)(view), name=name)


def _own(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
    return path(route, personal_view(view), name=name)


urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("analytics.urls")),
    path("inbox/", include("support.urls")),
    path("contacts/", include("contacts.urls")),
    path("settings/", include(contacts.settings_urlpatterns)),
    path("", include("consent.urls")),
    path("campaigns/", include("campaigns.urls")),
    path("", include("messaging.urls")),
    path("", include("tenants.urls")),
    _account("accounts/login/", accounts.login, "account_login"),
    _account("accounts/signup/", sign_up, "account_signup"),
    _account("accounts/logout/", accounts.logout, "account_logout"),
    _account("accounts/confirm-email/", confirm_email, "account_email_verification_sent"),
    _account("accounts/login/second-step/", second_step.SecondStep.as_view(), "mfa_authenticate"),
    _account("accounts/login/passkey/", passkeys.login_webauthn, "mfa_login_webauthn"),
    _own("accounts/confirm/", accounts.reauthenticate, "account_reauthenticate"),
    _own("accounts/confirm/code/", second_steps.reauthenticate, "mfa_reauthenticate"),
    _own("accounts/confirm/passkey/", second_step.ConfirmByPasskey.as_view(), "mfa_reauthenticate_webauthn"),
    _own("accounts/password/change/", accounts.password_change, "account_change_password"),
    _own("accounts/password/set/", recently_confirmed(accounts.password_set), "account_set_password"),
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
    _own("account/second-step/", RedirectView.as_view(pattern_name="account"), "mfa_index"),
    _own("account/app/", second_step.SetUpApp.as_view(), "mfa_activate_totp"),
    _own("account/app/remove/", second_step.RemoveApp.as_view(), "mfa_deactivate_totp"),
    _own("account/recovery-codes/", second_step.RecoveryCodes.as_view(), "mfa_view_recovery_codes"),
    _own("account/recovery-codes/new/", second_step.NewRecoveryCodes.as_view(), "mfa_generate_recovery_codes"),
    _own("account/passkeys/add/", second_step.AddPasskey.as_view(), "mfa_add_webauthn"),
    _own("account/passkeys/<int:pk>/", second_step.RenamePasskey.as_view(), "mfa_edit_webauthn"),
    _own("account/passkeys/<int:pk>/remove/", second_step.RemovePasskey.as_view(), "mfa_remove_webauthn"),
    path("admin/", admin.site.urls),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
