"""Which countries' numbers a tenant takes."""

from collections.abc import Collection

from django.core.exceptions import ValidationError

from common.places import country_name
from tenants.audit import record
from tenants.models import Tenant

__all__ = ["allow_countries"]


def allow_countries(*, tenant: Tenant, countries: Collection[str]) -> None:
    """Take numbers of these countries (ISO 3166) only; none at all means those that share the own calling code.

    Contacts that are there already stay. Raises ``ValidationError`` for what is no country.
    """
    wanted = sorted(set(countries))
    unknown = [code for code in wanted if not country_name(code)]
    if unknown:
        raise ValidationError({"countries": "Choose countries from the list."})
    before, tenant.allowed_countries = tenant.allowed_countries, wanted
    tenant.save(update_fields=["allowed_countries"])
    record("tenant.countries_changed", target=tenant, before={"countries": before}, after={"countries": wanted})
