"""Who may do what: the permission map of the four roles. Whatever a role is not given here is refused."""

from typing import Final

from django.db import models

__all__ = ["PERMISSIONS", "Permission", "Role", "allowed"]


class Role(models.TextChoices):
    """What a member is in a tenant; each role may do all that the one below it may."""

    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    AGENT = "agent", "Agent"
    VIEWER = "viewer", "Viewer"


class Permission(models.TextChoices):
    """A thing that a view or an API endpoint declares it needs."""

    VIEW = "view", "See contacts, conversations, campaigns and figures"
    REPLY = "reply", "Answer conversations"
    EDIT_CONTACTS = "contacts.edit", "Add and change contacts and record opt-ins and opt-outs"
    IMPORT_CONTACTS = "contacts.import", "Import contact files"
    MERGE_CONTACTS = "contacts.merge", "Merge contacts that are the same person"
    EXPORT_CONTACTS = "contacts.export", "Export contacts as a file"
    ERASE_CONTACTS = "contacts.erase", "Erase people for good"
    EDIT_ALL_NOTES = "notes.edit_all", "Change and delete the notes of colleagues"
    MANAGE_CAMPAIGNS = "campaigns.manage", "Write, launch, pause and cancel campaigns"
    SEND_EMERGENCY = "emergency.send", "Send emergency alerts past hours and limits"
    MANAGE_SETTINGS = "settings.manage", "Change senders, templates and settings"
    VIEW_AUDIT = "audit.view", "See and export the audit log"
    MANAGE_TEAM = "team.manage", "Invite members and change their roles"
    MANAGE_TENANT = "tenant.manage", "Change the business, ask for approval, hand over, export and delete the account"
    MANAGE_SECURITY = "security.manage", "Ask owners and managers for a second step"


_VIEWER: Final = frozenset({Permission.VIEW})
_AGENT: Final = _VIEWER | {Permission.REPLY, Permission.EDIT_CONTACTS}
_MANAGER: Final = _AGENT | {
    Permission.IMPORT_CONTACTS,
    Permission.MERGE_CONTACTS,
    Permission.EXPORT_CONTACTS,
    Permission.ERASE_CONTACTS,
    Permission.EDIT_ALL_NOTES,
    Permission.MANAGE_CAMPAIGNS,
    Permission.SEND_EMERGENCY,
    Permission.MANAGE_SETTINGS,
    Permission.VIEW_AUDIT,
}
_OWNER: Final = _MANAGER | {Permission.MANAGE_TEAM, Permission.MANAGE_TENANT, Permission.MANAGE_SECURITY}

PERMISSIONS: Final[dict[str, frozenset[Permission]]] = {
    Role.VIEWER: _VIEWER,
    Role.AGENT: _AGENT,
    Role.MANAGER: _MANAGER,
    Role.OWNER: _OWNER,
}


def allowed(role: str, permission: Permission) -> bool:
    """Whether the role has the permission; an unknown role has none."""
    return permission in PERMISSIONS.get(role, frozenset())
