"""Second steps of signing in: spending a code, and what follows when one is added or removed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.timezone import now

from common.encryption import decrypt
from tenants.models import FailedCodes, User

__all__ = ["matching_counter", "spend_code"]

TRIES: Final = 5
"""Wrong codes in a row until the user has to wait; after each further so many the wait is twice as long."""
FIRST_WAIT: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(days=1)
_LAST_COUNTER: Final = "last_counter"


def spend_code(*, user: User, code: str) -> Authenticator:
    """Use up one code of the user's app or one recovery code, and say which of both it was.

    Each code works once, also when two requests bring it at the same moment, and whatever happens to the cache.
    Raises ``ValidationError`` for a code that is wrong or used, and while too many wrong ones came before it.
    """
    code = "".join(code.split())
    with transaction.atomic():
        FailedCodes.objects.get_or_create(user=user)
        failed = FailedCodes.objects.select_for_update().get(user=user)
        if failed.blocked_until and failed.blocked_until > now():
            raise ValidationError(f"Too many wrong codes. Try again {_when(failed.blocked_until)}.", code="blocked")
        spent = next(_accepting(user, code), None)
        if spent is not None:
            failed.delete()
            return spent
        _count(failed)
    raise ValidationError(
        "This code is wrong, too old, or was used already. Take the one that is shown now.", code="incorrect_code"
    )


def matching_counter(secret: str, code: str) -> int | None:
    """The time step of which this is the code of the secret, among those that are accepted now."""
    for counter in yield_hotp_counters_from_time():
        if constant_time_compare(format_hotp_value(hotp_value(secret, counter)), code):
            return int(counter)
    return None


def _accepting(user: User, code: str) -> Iterator[Authenticator]:
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    for authenticator in Authenticator.objects.select_for_update().filter(user=user, type__in=kinds):
        if authenticator.type == Authenticator.Type.TOTP:
            accepted = _spend_totp(authenticator, code)
        else:
            accepted = authenticator.wrap().validate_code(code)
        if accepted:
            yield authenticator


def _spend_totp(authenticator: Authenticator, code: str) -> bool:
    """RFC 6238, 5.2: nothing of a time step that was used, or of an earlier one, is accepted again."""
    counter = matching_counter(decrypt(authenticator.data["secret"].encode()), code)
    if counter is None or counter <= authenticator.data.get(_LAST_COUNTER, -1):
        return False
    authenticator.data[_LAST_COUNTER] = counter
    authenticator.save(update_fields=["data"])
    return True


def _count(failed: FailedCodes) -> None:
    failed.count += 1
    if failed.count % TRIES == 0:
        doublings = min(failed.count // TRIES - 1, 16)
        failed.blocked_until = now() + min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)
    failed.save()


def _when(moment: datetime) -> str:
    minutes = max(1, round((moment - now()).total_seconds() / 60))
    return f"in {minutes} minute{'' if minutes == 1 else 's'}" if minutes < 90 else f"in {round(minutes / 60)} hours"
