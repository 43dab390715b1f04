"""Mails about a person's own account: a new address to confirm, a sign-in in a browser that was never seen."""

from typing import Final

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.urls import reverse

from tenants.models import User

__all__ = ["read_address_link", "send_address_link", "tell_of_sign_in"]

_SALT: Final = "tenants.address"
_GOOD_FOR_SECONDS: Final = 24 * 3600


def send_address_link(request: HttpRequest, *, user: User, email: str) -> None:
    """Send a link to the new address and a note to the old one.

    Nothing goes to an address that is somebody's already: the page says the same, so that nobody learns who has one.
    """
    adapter = get_adapter(request)
    token = signing.dumps([str(user.id), user.email, email], salt=_SALT, compress=True)
    link = settings.PUBLIC_BASE_URL + reverse("account_address_confirm", args=[token])
    if not User.objects.filter(email__iexact=email).exists():
        adapter.send_mail("account/email/address_link", email, {"user": user, "link": link})
    adapter.send_notification_mail("account/email/address_asked", user, {"new_email": email}, email=user.email)


def read_address_link(token: str, *, user: User) -> str | None:
    """The new address a link confirms; None when it is too old, not this person's, or the address changed since."""
    try:
        user_id, old, new = signing.loads(token, salt=_SALT, max_age=_GOOD_FOR_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return str(new) if (user_id, old) == (str(user.id), user.email) else None


def tell_of_sign_in(request: HttpRequest, user: User) -> None:
    """Somebody signed in with this account in a browser that does not carry our note of an earlier time."""
    get_adapter(request).send_notification_mail("account/email/new_sign_in", user, email=user.email)
