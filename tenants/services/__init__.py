"""What can be done with tenants and their members."""

from tenants.services.account import change_email, record_security_act, rename_user
from tenants.services.closing import WAITING_TIME, ask_deletion, cancel_deletion
from tenants.services.countries import allow_countries
from tenants.services.exporting import ask_export, open_export
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
from tenants.services.members import (
    accept_membership,
    add_member,
    change_role,
    hand_over,
    hide_first_steps,
    reactivate_member,
    remove_member,
)
from tenants.services.second_step import matching_counter, spend_code
from tenants.services.security import set_second_step_rule
from tenants.services.sessions import end_session, end_sessions, note_seen, sessions_of
from tenants.services.switching import memberships_of, remember_tenant, usual_tenant
from tenants.services.tenants import change_business, create_tenant, open_tenant
from tenants.services.trial import (
    MOST_GUESTS,
    add_guest,
    approve_tenant,
    ask_for_approval,
    reject_approval,
    remove_trial_number,
)

__all__ = [
    "MOST_GUESTS",
    "WAITING_TIME",
    "OpenedInvitation",
    "accept_invitation",
    "accept_membership",
    "add_guest",
    "add_member",
    "allow_countries",
    "approve_tenant",
    "ask_deletion",
    "ask_export",
    "ask_for_approval",
    "cancel_deletion",
    "change_business",
    "change_email",
    "change_role",
    "create_tenant",
    "end_session",
    "end_sessions",
    "forget_unconfirmed",
    "hand_over",
    "has_account",
    "hide_first_steps",
    "invite",
    "matching_counter",
    "memberships_of",
    "note_seen",
    "open_export",
    "open_invitation",
    "open_invitations",
    "open_tenant",
    "reactivate_member",
    "record_security_act",
    "reject_approval",
    "remember_tenant",
    "remove_member",
    "remove_trial_number",
    "rename_user",
    "renew_invitation",
    "revoke_invitation",
    "sessions_of",
    "set_second_step_rule",
    "spend_code",
    "usual_tenant",
]
