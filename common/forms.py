"""Bringing the errors of services back into the forms they came from."""

from django.core.exceptions import ValidationError
from django.forms import BaseForm

__all__ = ["add_errors"]


def add_errors(form: BaseForm, error: ValidationError) -> None:
    """Show a service's ``ValidationError`` at its fields; what belongs to no field of the form goes to the top."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, problems in error.error_dict.items():
        form.add_error(name if name in form.fields else None, ValidationError(problems))
