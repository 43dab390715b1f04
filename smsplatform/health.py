"""Whether the product is up and able to work; answered without a tenant."""

import time
from typing import Final, cast

from django.core.cache import cache, caches
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from common.cache import TolerantCache
from messaging.tasks import HEARTBEAT_KEY
from tenants.access import public_view

__all__ = ["beat_state", "broker_state", "database_state", "livez", "migrations_state", "readyz"]

BEAT_MAX_AGE: Final = 60.0
"""Seconds; beat ticks every five."""

_seen_migrated = False
"""Whether this process has found all migrations applied; that stays so, and anybody may ask how things are."""


@public_view("a load balancer asks whether the process is up")
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain")


@public_view("a load balancer asks whether the product can work; no data is shown")
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, migrations, broker, and the age of the last beat that a worker took. 503 when one is missing."""
    broker = broker_state()
    checks = {
        "database": database_state(),
        "migrations": migrations_state(),
        "broker": broker,
        "beat": beat_state() if broker == "ok" else "unknown",
    }
    ready = all(state == "ok" for state in checks.values())
    response = JsonResponse({"ready": ready, **checks}, status=200 if ready else 503)
    # The answer is for the asker; a line in the log for each time it asks during a start is not.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def database_state() -> str:
    """Whether PostgreSQL answers: "ok" or "unreachable"."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def migrations_state() -> str:
    """ "ok", how many migrations are missing, or "unknown"."""
    global _seen_migrated
    if _seen_migrated:
        return "ok"
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown"
    _seen_migrated = not plan
    return f"{len(plan)} missing" if plan else "ok"


def broker_state() -> str:
    """Whether Redis answers: "ok" or "unreachable"."""
    return "ok" if cast(TolerantCache, caches["default"]).reachable() else "unreachable"


def beat_state() -> str:
    """ "ok", or how long ago a worker took a tick."""
    last = cache.get(HEARTBEAT_KEY)
    if last is None:
        return "not seen yet"
    age = time.time() - last
    return "ok" if age <= BEAT_MAX_AGE else f"{age:.0f} s ago"
