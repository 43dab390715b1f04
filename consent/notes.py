"""Signed checkpoints of the ledger: C2SP tlog-checkpoint in the form of a C2SP signed note, with Ed25519.

    consent-ledger/<tenant id>
    <number of leaves>
    <root, base64>

    — consent-ledger <key id and signature, base64>

See https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note. This side signs; ``consent.verifier`` checks.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["KEY_NAME", "Signer", "checkpoint_text", "origin_of", "public_key_line"]

KEY_NAME: Final = "consent-ledger"
_ED25519: Final = b"\x01"
"""The algorithm's number in signed notes."""


def origin_of(tenant_id: object) -> str:
    """What a checkpoint is about: the first line of its text."""
    return f"{KEY_NAME}/{tenant_id}"


def checkpoint_text(*, origin: str, size: int, root: bytes) -> str:
    """The signed part of a checkpoint."""
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n"


def public_key_line(public_key: bytes) -> str:
    """A public key as a reader passes it to the verifier: name, key id, key (signed note's "vkey")."""
    return f"{KEY_NAME}+{_key_id(public_key).hex()}+{b64encode(_ED25519 + public_key).decode()}"


def _key_id(public_key: bytes) -> bytes:
    return sha256(KEY_NAME.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs notes with one private key."""

    key: Ed25519PrivateKey

    @classmethod
    def from_setting(cls, seed: str) -> Self:
        """From 32 bytes in base64, as ``LEDGER_SIGNING_KEY`` holds them."""
        return cls(Ed25519PrivateKey.from_private_bytes(b64decode(seed, validate=True)))

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def sign(self, text: str) -> str:
        """The text as a signed note."""
        if not text.endswith("\n"):
            raise ValueError("the text of a note ends with a new line")
        signature = _key_id(self.public_key) + self.key.sign(text.encode())
        return f"{text}\n\N{EM DASH} {KEY_NAME} {b64encode(signature).decode()}\n"
