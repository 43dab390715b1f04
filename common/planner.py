"""Telling PostgreSQL's planner about rows that came in bulk.

Until the next autovacuum the planner believes a table to be as it was; a query over thousands of new rows of one
tenant would then be planned for a handful, and take minutes instead of milliseconds.
"""

from django.db import connection, models

__all__ = ["refresh_statistics"]


def refresh_statistics(*changed: type[models.Model]) -> None:
    """Analyse the tables of these models; some tens of milliseconds each, whatever their size.

    Through the database function of that name, because the runtime role does not own the tables. Not to be called in
    a transaction: the locks would be held to its end.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_statistics(%s)", [[model._meta.db_table for model in changed]])
