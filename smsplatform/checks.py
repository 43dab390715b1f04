"""Start-up checks of the whole: settings that would be unsafe or point nowhere."""

import base64
from typing import Any, Final

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string

__all__ = ["register_all"]

LEDGER_KEY_BYTES: Final = 32
_HANDLERS: Final = {
    "INBOUND_HANDLERS": "smsplatform.E001",
    "ERASURE_HANDLERS": "smsplatform.E009",
    "MERGE_HANDLERS": "smsplatform.E010",
    "INBOUND_TAKER": "smsplatform.E011",
    "NUMBERS_IN_USE": "smsplatform.E012",
}
_LOCAL_MAIL: Final = "django.core.mail.backends.filebased.EmailBackend"


def register_all() -> None:
    """Register the checks; called once when the apps are ready."""
    register(check_handlers)
    register(check_encryption_keys)
    register(check_ledger_key)
    register(check_secrets, Tags.security, deploy=True)
    register(check_deployment, Tags.security, deploy=True)


def check_handlers(**_: Any) -> list[CheckMessage]:
    """Each handler's dotted path must lead to a function."""
    problems: list[CheckMessage] = []
    for setting, problem_id in _HANDLERS.items():
        named = getattr(settings, setting)
        for path in [named] if isinstance(named, str) else named:
            try:
                import_string(path)
            except ImportError:
                problems.append(Error(f"{setting} names {path}, which cannot be imported.", id=problem_id))
    return problems


def check_encryption_keys(**_: Any) -> list[CheckMessage]:
    """Keys that are given must be keys. None of them is printed."""
    wrong = [place for place, key in enumerate(settings.FIELD_ENCRYPTION_KEYS, start=1) if not _is_fernet_key(key)]
    return [
        Error(
            f"Number {place} of FIELD_ENCRYPTION_KEYS is no Fernet key (32 bytes in URL-safe base64). Make one with: "
            'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"',
            id="smsplatform.E004",
        )
        for place in wrong
    ]


def check_ledger_key(**_: Any) -> list[CheckMessage]:
    """A ledger key that is given must be one."""
    if not settings.LEDGER_SIGNING_KEY or _is_ledger_key(settings.LEDGER_SIGNING_KEY):
        return []
    return [
        Error(
            f"LEDGER_SIGNING_KEY is not {LEDGER_KEY_BYTES} bytes in base64. Make one with: "
            'python -c "import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())"',
            id="smsplatform.E005",
        )
    ]


def check_secrets(**_: Any) -> list[CheckMessage]:
    """Keys without which data would be lost or sessions end at each restart."""
    problems: list[CheckMessage] = []
    if settings.SECRET_KEY_IS_EPHEMERAL:
        problems.append(Error("Set SECRET_KEY: without it every restart signs everybody out.", id="smsplatform.E002"))
    if not settings.FIELD_ENCRYPTION_KEYS:
        problems.append(
            Error("Set FIELD_ENCRYPTION_KEYS: provider credentials cannot be stored.", id="smsplatform.E003")
        )
    if not settings.LEDGER_SIGNING_KEY:
        problems.append(
            Error("Set LEDGER_SIGNING_KEY: the consent ledger cannot be signed without it.", id="smsplatform.E006")
        )
    return problems


def check_deployment(**_: Any) -> list[CheckMessage]:
    """What is right for `make run` and wrong where real people are texted."""
    problems: list[CheckMessage] = []
    if settings.SIMULATOR_ENABLED:
        problems.append(
            Error(
                "SIMULATOR_ENABLED is true: texts would go to simulated phones, and anybody on the machine could read "
                "and answer them. Remove it.",
                id="smsplatform.E007",
            )
        )
    if settings.EMAIL_BACKEND == _LOCAL_MAIL:
        problems.append(
            Error(
                "Set EMAIL_URL, such as smtp+tls://user:password@mail.example.com:587: without it nobody gets the "
                "link to choose a password.",
                id="smsplatform.E008",
            )
        )
    return problems


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _is_ledger_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == LEDGER_KEY_BYTES
    except ValueError:
        return False
