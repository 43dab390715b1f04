"""Telling PostgreSQL's planner about rows that came in bulk.

Until the next autovacuum the planner believes a table to be as it was; a query over thousands of new rows of one
tenant would then be planned for a handful, and take minutes instead of milliseconds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import OperationalError, connection, models, transaction
from psycopg2.errors import QueryCanceled

__all__ = ["by_index", "refresh_statistics", "within", "without_nested_loops"]

ResultT = TypeVar("ResultT")


def refresh_statistics(*changed: type[models.Model]) -> None:
    """Analyse the tables of these models; some tens of milliseconds each, whatever their size.

    Through the database function of that name, because the runtime role does not own the tables. Not to be called in
    a transaction: the locks would be held to its end.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_statistics(%s)", [[model._meta.db_table for model in changed]])


@contextmanager
def by_index() -> Iterator[None]:
    """Inside, tables are read by their indexes wherever one can be used. Must run inside a transaction.

    For a page, or a count that stops early, PostgreSQL expects to meet a tenant's rows everywhere in a table and would
    read it from the front; they lie together, perhaps at its end, behind everybody else's. Not inside itself: the end
    of the inner one would be the end of both.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    yield
    with connection.cursor() as cursor:
        # After an error the transaction, or its savepoint, takes the setting back itself.
        cursor.execute("SET LOCAL enable_seqscan = on")


@contextmanager
def without_nested_loops() -> Iterator[None]:
    """Inside, thousands of rows that the planner takes for a handful are joined by hash. Must run inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = on")


def within(milliseconds: int, work: Callable[[], ResultT]) -> ResultT | None:
    """What ``work`` reads from the database; None when one of its statements would take longer. Runs in a transaction."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('statement_timeout')")
                (before,) = cursor.fetchone()
                cursor.execute("SET LOCAL statement_timeout = %s", [milliseconds])
            result = work()
            with connection.cursor() as cursor:
                # SET LOCAL outlives a released savepoint.
                cursor.execute("SET LOCAL statement_timeout = %s", [before])
            return result
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise
