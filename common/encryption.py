"""Secrets at rest: provider credentials are stored encrypted, the keys live outside the database.

``FIELD_ENCRYPTION_KEYS`` is a list of Fernet keys: the first one encrypts, all of them decrypt, so a key is
rotated by putting a new one in front and re-saving.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

__all__ = ["decrypt", "encrypt"]


def encrypt(plain: str) -> bytes:
    """Encrypt text with the newest key."""
    return _fernet().encrypt(plain.encode())


def decrypt(token: bytes) -> str:
    """Decrypt what ``encrypt`` made; raises ``ImproperlyConfigured`` when no configured key fits."""
    try:
        return _fernet().decrypt(token).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored secret cannot be decrypted: FIELD_ENCRYPTION_KEYS lacks the key it was encrypted with."
        ) from None


def _fernet() -> MultiFernet:
    keys = settings.FIELD_ENCRYPTION_KEYS
    if not keys:
        raise ImproperlyConfigured("Set FIELD_ENCRYPTION_KEYS to at least one Fernet key.")
    return MultiFernet([Fernet(key) for key in keys])
