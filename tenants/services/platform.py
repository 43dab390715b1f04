"""What platform admins do to tenants and to the people who sign in. Each act stands in the logs of the tenants concerned."""

import logging
from collections.abc import Iterator
from typing import Final

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

from tenants.audit import record
from tenants.models import Membership, Tenant, User
from tenants.scope import tenant_scope
from tenants.services.sessions import end_sessions
from tenants.services.switching import memberships_of

__all__ = [
    "deactivate_user",
    "reactivate_user",
    "reset_second_step",
    "resume_tenant",
    "set_platform_admin",
    "sign_out_user",
    "suspend_tenant",
]

logger = logging.getLogger(__name__)

_STATUSES: Final = Tenant.Status


def suspend_tenant(*, tenant: Tenant) -> None:
    """Nothing more is sent for this tenant until it is resumed; what comes in is still taken, a STOP above all."""
    _set_status(tenant, _STATUSES.SUSPENDED)
    record("tenant.suspended", target=tenant)


def resume_tenant(*, tenant: Tenant) -> None:
    """The tenant sends again."""
    _set_status(tenant, _STATUSES.ACTIVE)
    record("tenant.resumed", target=tenant)


def _set_status(tenant: Tenant, status: str) -> None:
    changed = Tenant.objects.filter(id=tenant.id).exclude(status=status).update(status=status)
    if not changed:
        raise ValidationError(f"This account is {_STATUSES(status).label.lower()} already.")
    tenant.status = status


@transaction.atomic
def deactivate_user(*, user: User, by: User) -> None:
    """Nobody signs in with this account any more, and it is signed out everywhere."""
    if user == by:
        raise ValidationError("You cannot deactivate yourself.")
    if not User.objects.filter(id=user.id, is_active=True).update(is_active=False):
        raise ValidationError("This account is deactivated already.")
    end_sessions(user=user)
    for membership in _in_each_tenant(user):
        record("user.deactivated", target=membership, target_name=membership.shown_name)


@transaction.atomic
def reactivate_user(*, user: User) -> None:
    """The account can be used again."""
    if not User.objects.filter(id=user.id, is_active=False).update(is_active=True):
        raise ValidationError("This account is active.")
    for membership in _in_each_tenant(user):
        record("user.reactivated", target=membership, target_name=membership.shown_name)


@transaction.atomic
def sign_out_user(*, user: User) -> None:
    """End all sessions of a person."""
    end_sessions(user=user)
    for membership in _in_each_tenant(user):
        record("user.signed_out", target=membership, target_name=membership.shown_name)


@transaction.atomic
def reset_second_step(*, user: User, by: User) -> None:
    """Remove a person's authenticator app, passkeys and recovery codes, after somebody made sure who asks for it.

    They are signed out everywhere and get a mail. Where a rule asks for a second step they set up a new one.
    """
    if user == by:
        raise ValidationError("Ask another platform admin to do this for you.")
    removed, _ = Authenticator.objects.filter(user=user).delete()
    if not removed:
        raise ValidationError("This person has no second step.")
    end_sessions(user=user)
    _tell(user, "second_step_reset")
    for membership in _in_each_tenant(user):
        record("user.second_step_reset", target=membership, target_name=membership.shown_name)


@transaction.atomic
def set_platform_admin(*, user: User, is_admin: bool) -> None:
    """Let a person into the platform admin, or out of it. For the command line: no page can do it."""
    User.objects.filter(id=user.id).update(is_staff=is_admin)
    end_sessions(user=user)


def _tell(user: User, notice: str) -> None:
    """Mail a person about their account, after commit; a mail server that fails keeps nothing from being done."""
    subject = render_to_string(f"tenants/mail/{notice}_subject.txt", {"user": user}).strip()
    body = render_to_string(f"tenants/mail/{notice}.txt", {"user": user, "base_url": settings.PUBLIC_BASE_URL})

    def send() -> None:
        try:
            send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, [user.email])
        except OSError:
            logger.exception("A mail could not be sent: %s", notice)

    transaction.on_commit(send)


def _in_each_tenant(user: User) -> Iterator[Membership]:
    """Each membership of a person, inside its tenant's scope."""
    for membership in memberships_of(user.id):
        with tenant_scope(membership.tenant.id):
            yield membership
