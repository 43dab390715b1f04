"""The composition root as a Django app: demo data, checks and commands that concern all apps."""

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "smsplatform"
    verbose_name = "Platform"

    def ready(self) -> None:
        # Importing celery makes its app the current one: web processes send tasks through it.
        from smsplatform import celery, checks  # noqa: F401

        checks.register_all()
