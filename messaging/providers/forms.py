"""Reading form-encoded callbacks strictly: a signature over ambiguous parameters proves nothing."""

from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

from messaging.providers.base import CallbackRefused, CallbackRequest

__all__ = ["MAX_CALLBACK_BYTES", "read_form", "without_nul"]

MAX_CALLBACK_BYTES = 64 * 1024
_MAX_PARAMETERS = 200


def read_form(callback: CallbackRequest, *, required: Collection[str]) -> dict[str, str]:
    """The parameters of a form callback, each exactly once; unknown ones are kept, missing ones refused.

    Values are neither trimmed nor dropped when empty: the signature covers them as they are.
    """
    if callback.content_type != "application/x-www-form-urlencoded":
        raise CallbackRefused(415, "not a form")
    if len(callback.body) > MAX_CALLBACK_BYTES:
        raise CallbackRefused(413, "too large")
    try:
        pairs = parse_qsl(
            callback.body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=_MAX_PARAMETERS,
            errors="strict",
        )
    except ValueError:
        raise CallbackRefused(400, "malformed form") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise CallbackRefused(400, "repeated parameter")
    missing = [name for name in required if name not in form]
    if missing:
        raise CallbackRefused(400, f"missing {', '.join(sorted(missing))}")
    return form


def without_nul(form: Mapping[str, str]) -> dict[str, str]:
    """What was signed, without NUL, which PostgreSQL stores in no text; the rest of it must not be lost for that."""
    return {name.replace("\x00", ""): value.replace("\x00", "") for name, value in form.items()}
