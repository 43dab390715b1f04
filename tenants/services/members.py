"""Who works in a tenant, in which role."""

from django.core.exceptions import ValidationError
from django.utils.timezone import now

from common.unique import AlreadyThere, unique
from tenants.audit import current_actor, record
from tenants.models import Membership, OutgoingMail, User
from tenants.permissions import Permission, Role, allowed
from tenants.services.invitations import revoke_invitations_of
from tenants.services.mails import mail
from tenants.services.sessions import end_sessions

__all__ = [
    "accept_membership",
    "add_member",
    "change_role",
    "hand_over",
    "hide_first_steps",
    "reactivate_member",
    "remove_member",
]


def add_member(*, email: str, role: Role, name: str = "") -> Membership:
    """Give a person a role in the active tenant; raises ``ValidationError`` when they have one already.

    For whoever runs the platform, who vouches for the address; members invite people instead.
    """
    user = _person(email.strip().lower(), name.strip())
    membership = Membership.objects.filter(user=user).first()
    if membership and membership.is_active:
        raise ValidationError("This person is a member already.")
    if membership:
        membership.role, membership.is_active = role, True
        membership.save(update_fields=["role", "is_active"])
    else:
        try:
            with unique():
                membership = Membership.objects.create(user=user, role=role)
        except AlreadyThere:
            raise ValidationError("This person is a member already.") from None
    record("member.added", target=membership, target_name=membership.shown_name, after={"role": role})
    return membership


def _person(address: str, name: str) -> User:
    user = User.objects.filter(email__iexact=address).first()
    if user is not None:
        return user
    user = User(email=address, name=name)
    user.set_unusable_password()
    user.full_clean(exclude=["password"], validate_unique=False, validate_constraints=False)
    try:
        with unique():
            user.save()
    except AlreadyThere:
        return User.objects.get(email__iexact=address)
    user.confirm_address()
    return user


def accept_membership(*, membership: Membership) -> None:
    """The member works here now, so colleagues may see their name."""
    membership.accepted_at = now()
    membership.save(update_fields=["accepted_at"])


def hide_first_steps(*, membership: Membership) -> None:
    """The member does not want to see the first steps any more."""
    membership.first_steps_hidden_at = now()
    membership.save(update_fields=["first_steps_hidden_at"])


def change_role(*, membership: Membership, role: Role, only_assigned: bool = False) -> None:
    """Change a member's role, which signs them out everywhere but where they do it themselves.

    The last owner stays owner, or nobody could manage the team any more.
    """
    if membership.role == Role.OWNER and role != Role.OWNER:
        _require_another_owner(membership)
    before = {"role": membership.role, "only_assigned": membership.only_assigned}
    membership.role, membership.only_assigned = role, only_assigned and role == Role.AGENT
    membership.save(update_fields=["role", "only_assigned"])
    end_sessions(user=membership.user, except_session=current_actor().session_key)
    if not allowed(role, Permission.MANAGE_TEAM):
        revoke_invitations_of(user=membership.user)
    record(
        "member.role_changed",
        target=membership,
        target_name=membership.shown_name,
        before=before,
        after={"role": role, "only_assigned": membership.only_assigned},
    )


def remove_member(*, membership: Membership) -> None:
    """Take away a person's access to the active tenant and sign them out; what they did stays recorded."""
    if membership.role == Role.OWNER:
        _require_another_owner(membership)
    membership.is_active = False
    membership.save(update_fields=["is_active"])
    end_sessions(user=membership.user, except_session=current_actor().session_key)
    revoke_invitations_of(user=membership.user)
    record("member.removed", target=membership, target_name=membership.shown_name)


def reactivate_member(*, membership: Membership) -> None:
    """Give somebody who was removed their access back, in the role they had."""
    membership.is_active = True
    membership.save(update_fields=["is_active"])
    record("member.reactivated", target=membership, target_name=membership.shown_name, after={"role": membership.role})


def hand_over(*, giver: Membership, receiver: Membership, typed_name: str, stays_owner: bool) -> None:
    """Make another member an owner; the giver becomes a manager unless they stay owner too.

    ``typed_name`` is the name of the business, typed to be sure. Raises ``ValidationError``.
    """
    if typed_name.strip() != giver.tenant.name:
        raise ValidationError({"typed_name": "This is not the name of the business. Type it as it stands above."})
    # Both rows at once and in one order: two owners who hand over to each other at the same moment wait, not deadlock.
    locked = {
        row.id: row
        for row in Membership.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(id__in=[giver.id, receiver.id], is_active=True)
        .order_by("id")
    }
    giver, receiver = locked.get(giver.id, giver), locked.get(receiver.id, receiver)
    if len(locked) != 2 or giver.role != Role.OWNER or receiver.accepted_at is None:
        raise ValidationError({"member": "Choose a colleague who works here."})
    if receiver.role != Role.OWNER:
        change_role(membership=receiver, role=Role.OWNER)
    if not stays_owner:
        change_role(membership=giver, role=Role.MANAGER)
    record("tenant.handed_over", target=receiver, target_name=receiver.shown_name, after={"stays_owner": stays_owner})
    mail(kind=OutgoingMail.Kind.HANDED_OVER, address=receiver.user.email)


def _require_another_owner(membership: Membership) -> None:
    owners = Membership.objects.select_for_update().filter(role=Role.OWNER, is_active=True).order_by("id")
    if not any(owner.pk != membership.pk for owner in owners):
        raise ValidationError("This is the only owner. Make another member an owner first.")
