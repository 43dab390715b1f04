"""Asking people to join a tenant, by a link that works once."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.utils.timezone import now

from common.pages import at_most
from common.unique import AlreadyThere, unique
from tenants.audit import record
from tenants.mailing import invitation_url
from tenants.models import INVITATION_LIFETIME, Invitation, Membership, OutgoingMail, Tenant, User
from tenants.permissions import Role
from tenants.scope import all_tenants, tenant_scope
from tenants.secrets import fits, hash_of, new_secret
from tenants.services.mails import mail

__all__ = [
    "MAILS_PER_DAY",
    "OpenedInvitation",
    "accept_invitation",
    "forget_unconfirmed",
    "has_account",
    "invite",
    "open_invitation",
    "open_invitations",
    "renew_invitation",
    "revoke_invitation",
    "revoke_invitations_of",
]

MAILS_PER_DAY: Final = 30
"""Invitations that a tenant may mail in 24 hours, repeats included: a mail that a stranger can cause is a nuisance."""


@dataclass(frozen=True, slots=True)
class OpenedInvitation:
    """An invitation whose link somebody has opened."""

    invitation: Invitation
    tenant: Tenant
    from_mail: bool
    """The link came from the mail, so whoever has it reads the mailbox of the invited address."""


def open_invitations() -> QuerySet[Invitation]:
    """The active tenant's invitations that nobody has answered, expired ones included, newest first."""
    open_ones = Invitation.objects.filter(accepted_at=None, revoked_at=None)
    return open_ones.select_related("invited_by").order_by("-created_at")


def invite(*, email: str, role: Role, invited_by: User | None, only_assigned: bool = False) -> tuple[Invitation, str]:
    """Invite an address and mail the link; returns the invitation and the link to show once.

    An open invitation to the same address is replaced. Raises ``ValidationError`` for a member and beyond the limit.
    """
    address = email.strip().lower()
    validate_email(address)
    if Membership.objects.filter(user__email=address, is_active=True).exists():
        raise ValidationError("This person is a member already.")
    _require_room_for_a_mail()
    secret = new_secret()
    invitation = Invitation(
        email=address,
        role=role,
        only_assigned=only_assigned and role == Role.AGENT,
        shown_hash=hash_of(secret),
        invited_by=invited_by,
        expires_at=now() + INVITATION_LIFETIME,
    )
    Invitation.objects.filter(email=address, accepted_at=None, revoked_at=None).update(revoked_at=now())
    try:
        with unique():
            invitation.save()
    except AlreadyThere:
        raise ValidationError("Somebody else has just invited this person.") from None
    mail(kind=OutgoingMail.Kind.INVITATION, address=address, about_id=invitation.id)
    record("invitation.made", target=invitation, after={"role": role, "only_assigned": invitation.only_assigned})
    return invitation, invitation_url(invitation.id, secret)


def renew_invitation(*, invitation: Invitation) -> str:
    """Mail it again and let it run anew; returns the new link to show once. Earlier links stop working."""
    _require_room_for_a_mail()
    secret = new_secret()
    changed = Invitation.objects.filter(id=invitation.id, accepted_at=None, revoked_at=None).update(
        shown_hash=hash_of(secret), mailed_hash="", expires_at=now() + INVITATION_LIFETIME
    )
    if not changed:
        raise ValidationError("This invitation was answered or withdrawn in the meantime.")
    mail(kind=OutgoingMail.Kind.INVITATION, address=invitation.email, about_id=invitation.id)
    record("invitation.renewed", target=invitation)
    return invitation_url(invitation.id, secret)


def revoke_invitation(*, invitation: Invitation) -> None:
    """Its links stop working."""
    changed = Invitation.objects.filter(id=invitation.id, accepted_at=None, revoked_at=None).update(revoked_at=now())
    if changed:
        record("invitation.revoked", target=invitation)


def revoke_invitations_of(*, user: User) -> None:
    """Somebody may no longer invite: what they left open is withdrawn, or they could come back by it."""
    for invitation in open_invitations().filter(invited_by=user):
        revoke_invitation(invitation=invitation)


def open_invitation(*, invitation_id: UUID, secret: str) -> OpenedInvitation | None:
    """The invitation behind a link; None when it is unknown, answered, withdrawn or too old, which nobody can tell."""
    with all_tenants("an invitation opened by its link"):
        found = Invitation.objects.select_related("tenant", "invited_by").filter(id=invitation_id).first()
    if found is None or not found.usable:
        return None
    from_mail = fits(secret, found.mailed_hash)
    if not from_mail and not fits(secret, found.shown_hash):
        return None
    return OpenedInvitation(found, found.tenant, from_mail)


def has_account(email: str) -> bool:
    """Whether somebody can log in with the address.

    An account whose address nobody has confirmed is nobody's: it may have been made by whoever wished to be there first.
    """
    user = User.objects.filter(email__iexact=email).first()
    return user is not None and user.has_confirmed_address()


def forget_unconfirmed(*, email: str) -> None:
    """Remove the account that was made with the address without confirming it: the mailbox's owner begins anew.

    Such an account has never been logged in to, so nothing hangs on it.
    """
    user = User.objects.filter(email__iexact=email, last_login=None).first()
    if user is not None and not user.has_confirmed_address():
        with all_tenants("an account without any membership goes"):
            user.delete()


def accept_invitation(*, opened: OpenedInvitation, user: User) -> Membership:
    """The invited person joins. Raises ``ValidationError`` when it is not theirs or was answered in the meantime.

    An address that is not shown to be the user's accepts nothing: anybody can type one.
    """
    if user.email.lower() != opened.invitation.email:
        raise ValidationError("This invitation is for another e-mail address.")
    if not (opened.from_mail or user.has_confirmed_address()):
        raise ValidationError("Confirm your e-mail address first.")
    with tenant_scope(opened.tenant.id):
        invitation = Invitation.objects.select_for_update().get(id=opened.invitation.id)
        if not invitation.usable:
            raise ValidationError("This invitation was answered or withdrawn in the meantime.")
        invitation.accepted_at = now()
        invitation.save(update_fields=["accepted_at"])
        if opened.from_mail:
            user.confirm_address()
        membership = _join(invitation, user)
        record(
            "invitation.accepted", target=membership, target_name=membership.shown_name, after={"role": membership.role}
        )
    return membership


def _join(invitation: Invitation, user: User) -> Membership:
    membership = Membership.objects.select_for_update().filter(user=user).first() or Membership(user=user)
    if membership._state.adding or not membership.is_active:
        membership.role, membership.only_assigned = invitation.role, invitation.only_assigned
    membership.is_active = True
    membership.accepted_at = membership.accepted_at or now()
    membership.save()
    return membership


def _require_room_for_a_mail() -> None:
    today = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.INVITATION, created_at__gt=now() - timedelta(hours=24))
    if at_most(today, MAILS_PER_DAY) >= MAILS_PER_DAY:
        raise ValidationError(f"No more than {MAILS_PER_DAY} invitations are mailed in 24 hours. Go on tomorrow.")
