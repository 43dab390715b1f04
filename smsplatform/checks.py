"""Start-up checks of the whole: settings that would be unsafe or point nowhere."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string

__all__ = ["register_all"]


def register_all() -> None:
    """Register the checks; called once when the apps are ready."""
    register(check_inbound_handlers)
    register(check_secrets, Tags.security, deploy=True)


def check_inbound_handlers(**_: Any) -> list[CheckMessage]:
    """Each handler's dotted path must lead to a function."""
    problems: list[CheckMessage] = []
    for path in settings.INBOUND_HANDLERS:
        try:
            import_string(path)
        except ImportError:
            problems.append(Error(f"INBOUND_HANDLERS names {path}, which cannot be imported.", id="smsplatform.E001"))
    return problems


def check_secrets(**_: Any) -> list[CheckMessage]:
    """Keys without which data would be lost or sessions end at each restart."""
    problems: list[CheckMessage] = []
    if settings.SECRET_KEY_IS_EPHEMERAL:
        problems.append(Error("Set SECRET_KEY: without it every restart signs everybody out.", id="smsplatform.E002"))
    if not settings.FIELD_ENCRYPTION_KEYS:
        problems.append(
            Error("Set FIELD_ENCRYPTION_KEYS: provider credentials cannot be stored.", id="smsplatform.E003")
        )
    return problems
