"""The composition root as a Django app: demo data, checks and commands that concern all apps."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PlatformConfig(AppConfig):
    name = "smsplatform"
    verbose_name = "Platform"

    def ready(self) -> None:
        # Importing celery makes its app the current one: web processes send tasks through it.
        from smsplatform import celery, checks  # noqa: F401

        checks.register_all()


class PlatformAdminConfig(AdminConfig):
    """Django's admin with our site in place of its own."""

    default_site = "smsplatform.admin_site.PlatformAdminSite"
