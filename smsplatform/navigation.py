"""The dashboard's navigation, in the order of daily use."""

from dataclasses import dataclass, field

from django.urls import reverse

from common.pages import at_most
from support.models import Conversation
from tenants.permissions import Permission, allowed

__all__ = ["Entry", "navigation"]

BADGE_COUNTS_UP_TO = 99


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation; ``children`` fold out below it."""

    label: str
    url: str
    icon: str
    active: bool = False
    badge: str = ""
    children: list["Entry"] = field(default_factory=list)


def navigation(path: str, role: str, *, in_trial: bool = False, restricted: bool = False) -> list[Entry]:
    """The entries for a member, with the page at ``path`` marked. Runs inside the tenant's scope."""
    entries = [
        _entry("Home", "home", "house", path, exact=True),
        _entry("Inbox", "inbox", "inbox", path, badge=_unread()),
        _entry("Contacts", "contacts", "users", path),
        *([] if restricted else [_entry("Campaigns", "campaigns", "megaphone", path)]),
    ]
    if allowed(role, Permission.IMPORT_CONTACTS):
        entries.insert(3, _entry("Import", "imports", "file-up", path))
        importing = entries[3].active
        if importing:
            entries[2] = _entry("Contacts", "contacts", "users", "")
    children = [
        _entry("Business", "business", "building-2", path),
        _entry("Team", "team", "users-round", path),
        *([] if restricted else _for_everybody(path)),
        _entry("Templates", "templates", "file-text", path),
        _entry("Consent & compliance", "compliance", "shield-check", path),
    ]
    if allowed(role, Permission.VIEW_AUDIT):
        children.append(_entry("Consent ledger", "ledger", "stamp", path))
        children.append(_entry("Audit log", "audit_log", "scroll-text", path))
    if in_trial:
        children.append(_entry("Trial", "trial", "flask-conical", path))
    return [
        *entries,
        Entry("Settings", children[0].url, "settings", any(child.active for child in children), children=children),
    ]


def _for_everybody(path: str) -> list[Entry]:
    """Settings that are closed to members who see only assigned conversations."""
    return [
        _entry("Contact fields", "contact_fields", "text-cursor-input", path),
        _entry("Countries", "countries", "globe", path),
        _entry("Health", "health", "stethoscope", path),
        _entry("Security", "security", "lock-keyhole", path),
        _entry("Senders", "senders", "smartphone", path),
    ]


def _entry(label: str, url_name: str, icon: str, path: str, *, exact: bool = False, badge: str = "") -> Entry:
    url = reverse(url_name)
    active = path == url if exact else path.startswith(url)
    return Entry(label, url, icon, active, badge)


def _unread() -> str:
    count = at_most(Conversation.objects.filter(unread_count__gt=0), BADGE_COUNTS_UP_TO)
    if not count:
        return ""
    return f"{BADGE_COUNTS_UP_TO}+" if count > BADGE_COUNTS_UP_TO else str(count)
