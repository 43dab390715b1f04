"""What is misconfigured or stuck, and what to do: for the people who run the platform."""

from collections.abc import Callable, Iterator
from typing import Final

from django.core import checks
from django.db import DatabaseError, connection

from analytics.stuck import everything_stuck
from common.findings import Finding
from common.lanes import LANES
from messaging.stuck import hold_finding
from smsplatform.celery import app
from smsplatform.health import beat_state, broker_state, database_state, migrations_state
from tenants.models import Tenant
from tenants.scope import tenant_scope

__all__ = ["Diagnosis", "diagnoses"]

Diagnosis = tuple[str, Finding]
"""Where it was found ("platform" or a tenant's slug), and what."""

ANSWER_SECONDS: Final = 1.5
"""How long workers have to say that they are there."""

_ADVICE: Final = {
    "database": "Look whether PostgreSQL runs and whether DATABASE_URL is right.",
    "migrations": "Run manage.py migrate as the owner of the tables.",
    "broker": "Look whether Redis runs and whether REDIS_URL is right.",
    "beat": "Start the ticker: celery -A smsplatform.celery beat.",
}


def diagnoses() -> Iterator[Diagnosis]:
    """Everything that is wrong; nothing when all is well."""
    for message in checks.run_checks():
        if message.level >= checks.WARNING:
            yield "platform", Finding(message.msg, message.hint or "Change the setting that it names.")
    ok = True
    for name, state in _states():
        if state != "ok":
            ok = ok and name not in ("database", "migrations")
            yield "platform", Finding(f"{name.capitalize()}: {state}", _ADVICE[name])
    if ok:
        yield from _workers()
        yield from (("platform", finding) for finding in hold_finding())
        yield from _tenants()


def _states() -> Iterator[tuple[str, str]]:
    asked: tuple[tuple[str, Callable[[], str]], ...] = (
        ("database", database_state),
        ("migrations", migrations_state),
        ("broker", broker_state),
        ("beat", beat_state),
    )
    for name, ask in asked:
        yield name, ask()


def _workers() -> Iterator[Diagnosis]:
    """Lanes that no worker listens to."""
    try:
        answers = app.control.inspect(timeout=ANSWER_SECONDS).active_queues() or {}
    except OSError:
        return
    served = {queue["name"] for queues in answers.values() for queue in queues}
    for lane in LANES:
        if lane not in served:
            advice = f"Start one: celery -A smsplatform.celery worker -Q {lane}."
            yield "platform", Finding(f"No worker answers for the lane {lane}", advice)


def _tenants() -> Iterator[Diagnosis]:
    for tenant in Tenant.objects.filter(deleted_at=None).order_by("slug").iterator():
        try:
            with tenant_scope(tenant.id):
                found = everything_stuck()
        except DatabaseError as error:
            connection.close()
            yield tenant.slug, Finding(f"Could not be looked at ({type(error).__name__})", "Look into the log.")
            continue
        yield from ((tenant.slug, finding) for finding in found)
