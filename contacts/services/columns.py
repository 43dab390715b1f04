"""Which columns a member sees in the list of contacts."""

from collections.abc import Collection

from django.core.exceptions import ValidationError

from contacts.list_columns import MAX_COLUMNS, column_choices
from tenants.models import Membership

__all__ = ["choose_columns"]


def choose_columns(*, membership: Membership, columns: Collection[str]) -> None:
    """Show the member these columns from now on, none if there are none; raises ``ValidationError``."""
    chosen = [key for key in column_choices() if key in columns]
    if len(chosen) < len(set(columns)):
        raise ValidationError("One of these columns does not exist any more. Choose again.")
    if len(chosen) > MAX_COLUMNS:
        raise ValidationError(f"Choose at most {MAX_COLUMNS} columns: more do not fit on a screen.")
    membership.contact_columns = chosen
    membership.save(update_fields=["contact_columns"])
