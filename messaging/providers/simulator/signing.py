"""Signatures between the platform and the simulated network: HMAC-SHA256 over address and body."""

import hashlib
import hmac
from typing import Final

__all__ = ["SIGNATURE_HEADER", "is_genuine", "sign"]

SIGNATURE_HEADER: Final = "X-Simulator-Signature"


def sign(secret: str, url: str, body: bytes) -> str:
    """The signature of a request to ``url``."""
    return hmac.new(secret.encode(), url.encode() + b"\n" + body, hashlib.sha256).hexdigest()


def is_genuine(secret: str, url: str, body: bytes, signature: str) -> bool:
    """Whether the signature was made with the secret; never with an empty one."""
    return bool(secret) and hmac.compare_digest(sign(secret, url, body), signature)
