"""Commands of ``manage.py`` that change something: the audit log says that it was done on the command line."""

from typing import Any, Final

from django.core.management.base import BaseCommand

from tenants.audit import Actor, acting

__all__ = ["THE_COMMAND_LINE", "RecordedCommand"]

THE_COMMAND_LINE: Final = Actor("Command line", by_platform=True)


class RecordedCommand(BaseCommand):
    """A command whose acts are recorded as the command line's: whoever can run it runs the platform."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with acting(THE_COMMAND_LINE):
            return super().execute(*args, **options)
