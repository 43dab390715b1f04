"""Background work of consent."""

from celery import shared_task

from consent.sealer import seal_everything

__all__ = ["seal"]


@shared_task(name="consent.seal")
def seal() -> None:
    """Put what was recorded into the logs of its tenants."""
    seal_everything()
