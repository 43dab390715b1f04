"""``migrate`` works as the owner of the tables, not as the runtime role."""

from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate

from tenants.ownership import as_owner


class Command(DjangoMigrate):
    def handle(self, *args: Any, **options: Any) -> Any:
        with as_owner():
            return super().handle(*args, **options)
