"""Where settings come from: environment variables, ``NAME_FILE`` files, ``.env``, or the running embedded stack.

The embedded stack (``make run``) writes its addresses and secrets to ``<SMSPLATFORM_HOME>/environment``; that file
is read when ``DATABASE_URL`` is not set, so that ``manage.py`` in another terminal works on the running product.
"""

import os
from pathlib import Path
from typing import Final

import environ

__all__ = ["BASE_DIR", "home", "load"]

BASE_DIR: Final = Path(__file__).resolve().parent.parent


def home() -> Path:
    """The data folder of the embedded stack."""
    return (BASE_DIR / os.environ.get("SMSPLATFORM_HOME", "var")).resolve()


def load() -> environ.FileAwareEnv:
    """The settings' source; names already in the environment win over files."""
    environ.FileAwareEnv.read_env(BASE_DIR / ".env")
    running_stack = home() / "environment"
    if "DATABASE_URL" not in os.environ and "DATABASE_URL_FILE" not in os.environ and running_stack.is_file():
        environ.FileAwareEnv.read_env(running_stack)
    return environ.FileAwareEnv()
