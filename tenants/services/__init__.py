"""What can be done with tenants and their members."""

from tenants.services.invitations import (
    OpenedInvitation,
    accept_invitation,
    forget_unconfirmed,
    has_account,
    invite,
    open_invitation,
    open_invitations,
    renew_invitation,
    revoke_invitation,
)
from tenants.services.members import accept_membership, add_member, change_role, remove_member
from tenants.services.sessions import end_session, end_sessions, note_seen, sessions_of
from tenants.services.switching import memberships_of, remember_tenant, usual_tenant
from tenants.services.tenants import create_tenant, open_tenant

__all__ = [
    "OpenedInvitation",
    "accept_invitation",
    "accept_membership",
    "add_member",
    "change_role",
    "create_tenant",
    "end_session",
    "end_sessions",
    "forget_unconfirmed",
    "has_account",
    "invite",
    "memberships_of",
    "note_seen",
    "open_invitation",
    "open_invitations",
    "open_tenant",
    "remember_tenant",
    "remove_member",
    "renew_invitation",
    "revoke_invitation",
    "sessions_of",
    "usual_tenant",
]
