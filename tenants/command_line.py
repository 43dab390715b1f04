"""Commands of ``manage.py`` that change something: the audit log says that it was done on the command line."""

from typing import Any, Final

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse

from tenants.audit import Actor, acting
from tenants.models import User

__all__ = ["THE_COMMAND_LINE", "RecordedCommand", "set_password_link"]

THE_COMMAND_LINE: Final = Actor("Command line", by_platform=True)


class RecordedCommand(BaseCommand):
    """A command whose acts are recorded as the command line's: whoever can run it runs the platform."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with acting(THE_COMMAND_LINE):
            return super().execute(*args, **options)


def set_password_link(user: User) -> str:
    """A link with which a person chooses a password, once."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    uid, _, token = key.partition("-")
    return settings.PUBLIC_BASE_URL + reverse("account_reset_password_from_key", args=[uid, token])
