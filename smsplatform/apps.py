"""The composition root as a Django app: demo data, checks and commands that concern all apps."""

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "smsplatform"
    verbose_name = "Platform"

    def ready(self) -> None:
        from smsplatform import checks

        checks.register_all()
