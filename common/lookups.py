"""``column__among=[...]``: one of many values, sent as one array.

Django's ``in`` prepares and sends each value on its own, which for the hundreds of numbers of a batch costs more than
PostgreSQL needs to find them; the plan is the same.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import CharField, Field, ForeignKey, Lookup, UUIDField

__all__ = ["register"]


class Among(Lookup):
    """For texts and ids; values are sent as they are, so they must be what the column holds."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        values: Iterable[object] = self.rhs
        kind = "uuid" if isinstance(_target(self.lhs.output_field), UUIDField) else "text"
        return f"{column} = ANY(%s::{kind}[])", (*parameters, [str(value) for value in values])


def _target(field: "Field[Any, Any]") -> "Field[Any, Any]":
    return field.target_field if isinstance(field, ForeignKey) else field


def register() -> None:
    """Make it known; called once when the apps are ready."""
    for field in (CharField, UUIDField, ForeignKey):
        field.register_lookup(Among)
