"""Background work of tenants."""

from celery import shared_task

from tenants.deletion import delete_due
from tenants.export import write_exports
from tenants.mailing import send_due

__all__ = ["delete_tenants", "export_tenants", "send_mails"]


@shared_task(name="tenants.delete_tenants")
def delete_tenants() -> None:
    """Go on deleting tenants whose waiting time is over."""
    delete_due()


@shared_task(name="tenants.export_tenants")
def export_tenants() -> None:
    """Write the exports that wait, and remove those that are old."""
    write_exports()


@shared_task(name="tenants.send_mails")
def send_mails() -> None:
    """Send the mails that are due."""
    send_due()
