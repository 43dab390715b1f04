"""The tenants app: customer accounts, their members, and the wall between them."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Tenants"
