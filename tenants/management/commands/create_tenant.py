"""``manage.py create_tenant NAME --owner-email E``: a new customer account and its owner's set-password link."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from tenants.command_line import RecordedCommand, set_password_link
from tenants.services import create_tenant


class Command(RecordedCommand):
    help = "Create a tenant; prints its slug and, once, a link with which the owner sets a password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="business name")
        parser.add_argument("--owner-email", required=True)
        parser.add_argument("--country", default="US", help="ISO 3166 code of its phone numbers (default US)")
        parser.add_argument("--trial", action="store_true", help="let it text its own team only until it is approved")
        parser.add_argument("--timezone", default="America/New_York", help="IANA name (default America/New_York)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant, owner = create_tenant(
                name=options["name"],
                owner_email=options["owner_email"],
                country=options["country"],
                timezone=options["timezone"],
                in_trial=options["trial"],
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        self.stdout.write(f"slug: {tenant.slug}")
        if owner.has_usable_password():
            self.stdout.write(f"owner: {owner.email} (has an account already and signs in with it)")
        else:
            self.stdout.write(f"set-password link, valid once: {set_password_link(owner)}")
