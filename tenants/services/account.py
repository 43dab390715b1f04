"""What people do with their own account: name, address, and the record of what touches its safety."""

from collections.abc import Callable
from typing import Final, Literal

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import transaction

from common.unique import AlreadyThere, unique
from tenants.audit import current_actor, record
from tenants.models import Membership, User
from tenants.scope import all_tenants, tenant_scope
from tenants.services.sessions import end_sessions

__all__ = ["SecurityAct", "change_email", "record_security_act", "rename_user"]


SecurityAct = Literal[
    "app_added",
    "app_removed",
    "passkey_added",
    "passkey_removed",
    "recovery_codes_made",
    "password_changed",
    "email_changed",
    "sessions_ended",
]

_ENTRIES: Final[dict[SecurityAct, Callable[[Membership], None]]] = {
    "app_added": lambda one: record("user.app_added", target=one, target_name=one.shown_name),
    "app_removed": lambda one: record("user.app_removed", target=one, target_name=one.shown_name),
    "passkey_added": lambda one: record("user.passkey_added", target=one, target_name=one.shown_name),
    "passkey_removed": lambda one: record("user.passkey_removed", target=one, target_name=one.shown_name),
    "recovery_codes_made": lambda one: record("user.recovery_codes_made", target=one, target_name=one.shown_name),
    "password_changed": lambda one: record("user.password_changed", target=one, target_name=one.shown_name),
    "email_changed": lambda one: record("user.email_changed", target=one, target_name=one.shown_name),
    "sessions_ended": lambda one: record("user.sessions_ended", target=one, target_name=one.shown_name),
}


def record_security_act(*, user: User, act: SecurityAct) -> None:
    """Record what touches the safety of somebody's account in each tenant where they are an active member.

    Call it outside of any tenant's scope. So an owner sees that a manager removed their second step.
    """
    with all_tenants("a user's own memberships"):
        tenants = list(Membership.objects.filter(user=user, is_active=True).values_list("tenant_id", flat=True))
    for tenant_id in tenants:
        with tenant_scope(tenant_id):
            for membership in Membership.objects.filter(user=user).select_related("user"):
                _ENTRIES[act](membership)


def rename_user(*, user: User, name: str) -> None:
    """Change the name that colleagues see."""
    user.name = name.strip()
    user.full_clean(exclude=["password"], validate_unique=False, validate_constraints=False)
    user.save(update_fields=["name"])


def change_email(*, user: User, email: str) -> None:
    """Change the address a person signs in with, which ends their other sessions; they have proven that it is theirs.

    Raises ``ValidationError`` when somebody else signs in with it.
    """
    address = email.strip().lower()
    with transaction.atomic():
        user.email = address
        user.full_clean(exclude=["password"], validate_unique=False, validate_constraints=False)
        try:
            with unique():
                user.save(update_fields=["email"])
                # Allauth would go on to take the old address for signing in.
                EmailAddress.objects.filter(user=user).delete()
                EmailAddress.objects.create(user=user, email=address, primary=True, verified=True)
        except AlreadyThere:
            raise ValidationError("Somebody else signs in with this address.") from None
        end_sessions(user=user, except_session=current_actor().session_key)
        record_security_act(user=user, act="email_changed")
