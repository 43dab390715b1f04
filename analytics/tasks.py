"""Background work of analytics."""

from celery import shared_task

from analytics.figures import refresh_all

__all__ = ["refresh_figures"]


@shared_task(name="analytics.refresh_figures")
def refresh_figures() -> None:
    """Recount the figures of the last days."""
    refresh_all()
