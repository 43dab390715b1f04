"""App configuration."""

from django.apps import AppConfig

from common import lookups


class CommonConfig(AppConfig):
    name = "common"

    def ready(self) -> None:
        lookups.register()
