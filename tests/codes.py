"""An authenticator app in the hands of a test: it knows the secret, and tells the code of a moment."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from tenants.models import User

__all__ = ["code_of", "give_app"]


def code_of(secret: str, *, steps: int = 0) -> str:
    """What the app shows, now or so many half minutes from now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


def give_app(user: User) -> str:
    """The user has set up an app; its secret."""
    secret = str(generate_totp_secret())
    TOTP.activate(user, secret)
    assert Authenticator.objects.filter(user=user, type="totp").exists()
    return secret
