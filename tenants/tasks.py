"""Background work of tenants."""

from celery import shared_task

from tenants.mailing import send_due

__all__ = ["send_mails"]


@shared_task(name="tenants.send_mails")
def send_mails() -> None:
    """Send the mails that are due."""
    send_due()
