"""Background work of consent."""

from celery import shared_task

from consent.checkpoint_mail import mail_past_days
from consent.retention import forget_what_is_over
from consent.sealer import seal_everything

__all__ = ["forget_old_evidence", "mail_checkpoints", "seal"]


@shared_task(name="consent.seal")
def seal() -> None:
    """Put what was recorded into the logs of its tenants."""
    seal_everything()


@shared_task(name="consent.mail_checkpoints")
def mail_checkpoints() -> None:
    """Mail the checkpoints of the days that are over."""
    mail_past_days()


@shared_task(name="consent.forget_old_evidence")
def forget_old_evidence() -> None:
    """Take what is personal out of evidence that is over and older than its tenant keeps it."""
    forget_what_is_over()
