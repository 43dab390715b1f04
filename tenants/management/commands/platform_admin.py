"""``manage.py platform_admin EMAIL``: let a person into the platform admin, or out of it."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email

from tenants.command_line import RecordedCommand, set_password_link
from tenants.models import User
from tenants.services.platform import set_platform_admin


class Command(RecordedCommand):
    help = (
        "Let a person into the platform admin; prints a link to set a password for a new one. --remove takes it back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--remove", action="store_true", help="take the right away again")

    def handle(self, *args: Any, **options: Any) -> None:
        email, remove = options["email"].strip().lower(), options["remove"]
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            if remove:
                raise CommandError(f"Nobody has the address {email}.")
            user = _new_user(email)
        set_platform_admin(user=user, is_admin=not remove)
        self.stdout.write(f"{user.email} is {'no platform admin any more' if remove else 'a platform admin'}")
        if not user.has_usable_password():
            self.stdout.write(f"set-password link, valid once: {set_password_link(user)}")


def _new_user(email: str) -> User:
    try:
        validate_email(email)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    return User.objects.create_user(email)
