"""Working as the owner of the tables: for migrations only."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

__all__ = ["as_owner"]


@contextmanager
def as_owner() -> Iterator[None]:
    """Reconnect with the bare login role (the owner) and come back as the runtime role afterwards."""
    options = connection.settings_dict["OPTIONS"]
    runtime_options = dict(options)
    connection.close()
    options["runtime"] = False
    options.pop("assume_role", None)
    try:
        yield
    finally:
        connection.close()
        options.clear()
        options.update(runtime_options)
