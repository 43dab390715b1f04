"""Secrets that open something once: only their hash is stored."""

import hashlib
import hmac
import secrets

__all__ = ["fits", "hash_of", "new_secret"]


def new_secret() -> str:
    """256 random bits, in letters that an address may hold."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is stored of a secret that nobody can guess: no salt or slow hash is needed."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def fits(secret: str, stored: str) -> bool:
    """Whether it is the secret behind the stored hash; never for an empty one. Takes as long either way."""
    return bool(stored) and hmac.compare_digest(hash_of(secret), stored)
