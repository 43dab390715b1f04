"""Background work of tenants."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore

from tenants.deletion import delete_due
from tenants.export import write_exports
from tenants.mailing import send_due

__all__ = ["delete_tenants", "export_tenants", "remove_expired_sessions", "send_mails"]


@shared_task(name="tenants.delete_tenants")
def delete_tenants() -> None:
    """Go on deleting tenants whose waiting time is over."""
    delete_due()


@shared_task(name="tenants.export_tenants")
def export_tenants() -> None:
    """Write the exports that wait, and remove those that are old."""
    write_exports()


@shared_task(name="tenants.remove_expired_sessions")
def remove_expired_sessions() -> None:
    """Delete the sessions whose time is over."""
    SessionStore.clear_expired()


@shared_task(name="tenants.send_mails")
def send_mails() -> None:
    """Send the mails that are due."""
    send_due()
