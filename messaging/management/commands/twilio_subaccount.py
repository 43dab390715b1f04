"""``manage.py twilio_subaccount SLUG``: a sub-account at Twilio for a tenant, under the platform's own account."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from messaging.providers.base import CouldNotAsk
from messaging.services import provide_subaccount
from tenants.command_line import RecordedCommand
from tenants.models import Tenant


class Command(RecordedCommand):
    help = (
        "Create a tenant's sub-account at Twilio and connect it; may be repeated. Needs TWILIO_PARENT_ACCOUNT_SID and "
        "TWILIO_PARENT_AUTH_TOKEN."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the tenant's short name, as in the platform admin")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["slug"]).first()
        if tenant is None:
            raise CommandError("No tenant has this short name.")
        try:
            account = provide_subaccount(tenant=tenant)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        except CouldNotAsk as problem:
            raise CommandError(f"Twilio gave no clear answer ({problem}). Run the command again.") from None
        self.stdout.write(f"sub-account: {account.account_reference}")
        self.stdout.write(f"incoming texts: {settings.PUBLIC_BASE_URL}/callbacks/twilio/{account.id}/inbound")
