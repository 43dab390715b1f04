"""Background work of consent."""

from celery import shared_task

from consent.daily import mail_past_days
from consent.sealer import seal_everything

__all__ = ["mail_checkpoints", "seal"]


@shared_task(name="consent.seal")
def seal() -> None:
    """Put what was recorded into the logs of its tenants."""
    seal_everything()


@shared_task(name="consent.mail_checkpoints")
def mail_checkpoints() -> None:
    """Mail the checkpoints of the days that are over."""
    mail_past_days()
