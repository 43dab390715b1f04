"""What can be done with tenants and their members."""

from tenants.services.members import accept_membership, add_member, change_role, remove_member
from tenants.services.sessions import end_session, end_sessions, note_seen, sessions_of
from tenants.services.switching import memberships_of, remember_tenant, usual_tenant
from tenants.services.tenants import create_tenant

__all__ = [
    "accept_membership",
    "add_member",
    "change_role",
    "create_tenant",
    "end_session",
    "end_sessions",
    "memberships_of",
    "note_seen",
    "remember_tenant",
    "remove_member",
    "sessions_of",
    "usual_tenant",
]
