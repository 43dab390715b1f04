"""The checks of settings: what is wrong is said in a sentence, and no key is printed."""

import base64
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.checks import CheckMessage, run_checks

WRONG = "not-a-fernet-key"


@pytest.fixture(autouse=True)
def _right(settings: Any) -> None:
    """Settings as a deployment gives them."""
    settings.SECRET_KEY_IS_EPHEMERAL = False
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    settings.LEDGER_SIGNING_KEY = base64.b64encode(b"k" * 32).decode()
    settings.SIMULATOR_ENABLED = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


def found(*, deploy: bool) -> dict[str, str]:
    """Our messages by id."""
    messages: list[CheckMessage] = run_checks(include_deployment_checks=deploy)
    return {str(one.id): str(one.msg) for one in messages if str(one.id).startswith("smsplatform.")}


def test_right_settings_pass() -> None:
    assert found(deploy=True) == {}


@pytest.mark.parametrize(
    ("name", "value", "problem", "always"),
    [
        ("FIELD_ENCRYPTION_KEYS", [WRONG], "Number 1 of FIELD_ENCRYPTION_KEYS is no Fernet key", True),
        ("FIELD_ENCRYPTION_KEYS", [Fernet.generate_key().decode(), WRONG], "Number 2 of FIELD_ENCRYPTION_KEYS", True),
        ("FIELD_ENCRYPTION_KEYS", ["ÿ" * 44], "is no Fernet key", True),
        ("FIELD_ENCRYPTION_KEYS", [], "Set FIELD_ENCRYPTION_KEYS", False),
        ("LEDGER_SIGNING_KEY", "", "Set LEDGER_SIGNING_KEY", False),
        ("LEDGER_SIGNING_KEY", "short", "LEDGER_SIGNING_KEY is not 32 bytes in base64", True),
        ("LEDGER_SIGNING_KEY", base64.b64encode(b"k" * 16).decode(), "LEDGER_SIGNING_KEY is not 32 bytes", True),
        ("SECRET_KEY_IS_EPHEMERAL", True, "Set SECRET_KEY", False),
        ("SIMULATOR_ENABLED", True, "SIMULATOR_ENABLED is true", False),
        ("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend", "Set EMAIL_URL", False),
    ],
)
def test_what_is_wrong_is_said(settings: Any, name: str, value: object, problem: str, always: bool) -> None:
    setattr(settings, name, value)
    messages = found(deploy=True)
    assert len(messages) == 1
    assert problem in next(iter(messages.values()))
    assert WRONG not in str(messages)
    assert bool(found(deploy=False)) is always
