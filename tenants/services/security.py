"""The tenant's rule that owners and managers sign in with a second step."""

from django.core.exceptions import ValidationError

from tenants.audit import record
from tenants.models import Tenant, User
from tenants.second_step import has_second_step

__all__ = ["set_second_step_rule"]


def set_second_step_rule(*, tenant: Tenant, required: bool, owner: User) -> None:
    """Turn the rule on or off. Raises ``ValidationError`` when the owner would be the first whom it locks out."""
    if required and not has_second_step(owner):
        raise ValidationError("Set up a second step for yourself first; then you can ask others for one.")
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if tenant.mfa_required == required:
        return
    tenant.mfa_required = required
    tenant.save(update_fields=["mfa_required"])
    record(
        "tenant.second_step_rule_changed",
        target=tenant,
        before={"mfa_required": not required},
        after={"mfa_required": required},
    )
