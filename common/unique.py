"""Two people create the same thing at the same moment: the second one gets a sentence, as if they had come later."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from psycopg2.errors import UniqueViolation

__all__ = ["AlreadyThere", "unique"]


class AlreadyThere(Exception):
    """A row with the same key exists."""


@contextmanager
def unique() -> Iterator[None]:
    """Save inside this block: raises ``AlreadyThere`` for a duplicate, and the transaction goes on.

    A check before it answers most duplicates, but another transaction may commit one between check and save.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise AlreadyThere from None
        raise
