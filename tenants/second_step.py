"""The second step of signing in: an authenticator app, or a passkey, with recovery codes for the day both are lost.

Allauth does the work; here is what it asks this product: how secrets are kept, what things are called, for which host a
passkey is made, and whether a person may be left without a second step.
"""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

from common import encryption
from tenants.models import Membership, User
from tenants.permissions import Role
from tenants.scope import all_tenants

__all__ = ["MAIN_KINDS", "SecondStepAdapter", "has_second_step", "must_keep_second_step", "passkey_host", "rule_holds"]

MAIN_KINDS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What counts as a second step; recovery codes alone do not."""
RULED_ROLES: Final = (Role.OWNER, Role.MANAGER)
_NAME: Final = "SMS Platform"


def has_second_step(user: User) -> bool:
    """Whether signing in takes this person more than a password."""
    return bool(Authenticator.objects.filter(user=user, type__in=MAIN_KINDS).exists())


def rule_holds(membership: Membership) -> bool:
    """Whether this member may work in their tenant only with a second step."""
    return membership.tenant.mfa_required and membership.role in RULED_ROLES


def must_keep_second_step(user: User) -> bool:
    """Whether some tenant's rule, or being a platform admin, forbids this person to be without one."""
    if user.is_staff:
        return True
    with all_tenants("a user's own memberships"):
        ruled = Membership.objects.filter(user=user, is_active=True, role__in=RULED_ROLES, tenant__mfa_required=True)
        return ruled.exists()


def passkey_host(request: HttpRequest) -> str | None:
    """The host passkeys are made for; None where a browser would refuse: at an IP address or under a foreign name."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    if host not in ("localhost", urlsplit(settings.PUBLIC_BASE_URL).hostname):
        return None
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return host
    return None


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """How allauth treats second steps here."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This did not work. Take the code that is shown now; each code works once.",
        "cannot_delete_authenticator": (
            "Your role needs a second step. Set up another one first, then this one can be removed."
        ),
        "cannot_generate_recovery_codes": "Set up an authenticator app or a passkey first.",
    }

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text.encode())

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not the last second step of somebody who must have one, nor the only way in of somebody without password."""
        others = Authenticator.objects.filter(user=authenticator.user, type__in=MAIN_KINDS).exclude(pk=authenticator.pk)
        user = authenticator.user
        if not user.has_usable_password() and not others.filter(type=Authenticator.Type.WEBAUTHN).exists():
            return False
        return others.exists() or not must_keep_second_step(user)

    def get_totp_issuer(self) -> str:
        return f"{_NAME} ({urlsplit(settings.PUBLIC_BASE_URL).hostname})"

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        # Of a host for which there can be none, the browser refuses the passkey.
        return {"id": passkey_host(context.request) or "invalid", "name": _NAME}
