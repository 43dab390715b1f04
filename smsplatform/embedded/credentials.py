"""Secrets made once per data folder, and the file by which other programs find the running stack."""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from smsplatform.embedded.errors import EmbeddedError


def _key() -> str:
    """32 random bytes, URL-safe: the shape of a Fernet key and of an Ed25519 seed."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _ledger_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def _password() -> str:
    return secrets.token_urlsafe(48)


MAKERS: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": _password,
    "FIELD_ENCRYPTION_KEYS": _key,
    "LEDGER_SIGNING_KEY": _ledger_key,
    "SIMULATOR_SECRET": _password,
}


def is_given(name: str) -> bool:
    """Whether the environment has `name`, or the `name_FILE` that settings accept in its place."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def make() -> dict[str, str]:
    """A fresh value for each secret."""
    return {name: maker() for name, maker in MAKERS.items()}


def load(path: Path) -> dict[str, str]:
    """The secrets in `path`, which is created, or completed, when it lacks one.

    Losing the file loses what was encrypted and signed with it, so a damaged one is an error.
    """
    kept = read(path)
    missing = {name: value for name, value in make().items() if name not in kept}
    if missing:
        write(path, kept | missing)
    return kept | missing


def read(path: Path) -> dict[str, str]:
    """`NAME=value` lines; empty when there is no file."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = [line.partition("=") for line in lines if line.strip() and not line.startswith("#")]
    if not all(separator and value for _, separator, value in pairs):
        raise EmbeddedError(f"{path} is damaged: it should hold NAME=value lines only.")
    return {name: value for name, _, value in pairs}


def write(path: Path, values: Mapping[str, str]) -> None:
    """Replace `path` in one step; only its owner can read it."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    with unfinished.open("w") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
