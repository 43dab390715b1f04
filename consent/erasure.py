"""Erasing people from consent: what is about them goes; the log stays whole, and an opt-out still holds.

Records lose number, wording, evidence and salt. Their entries stay in the log, where without the salt nobody can tell
whom they are about; everybody else's proofs are as they were. A suppression, and a question whether somebody meant to opt
out, keep the number as a keyed hash (HMAC-SHA-256, RFC 2104) alone: enough to know it again when it comes back. The key is
the tenant's, and is stored encrypted with a key outside of the database, for numbers are few enough to try them all.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection
from typing import Any, Final

from django.db import connection

from common.encryption import decrypt, encrypt
from consent.models import (
    ChangedNumber,
    ConsentState,
    EndedPurpose,
    HiddenNumberKey,
    NumberMark,
    OptOutQuestion,
    PendingOptIn,
    PossibleOptOut,
    PreferenceLink,
    Suppression,
)
from tenants.scope import current_tenant_id

__all__ = ["erase_people", "forget_evidence", "hidden_names", "recognise", "recognise_again"]

_MARK: Final = "#"
"""Begins a keyed hash where a number is expected; it is cut to what the column holds, which is 90 bits."""
_DIGITS: Final = 15

_ERASE: Final = """
UPDATE consent_consentrecord r SET number = s.shell, wording = '', evidence = '{}', salt = ''
FROM unnest(%s::text[], %s::text[]) AS s(number, shell)
WHERE r.tenant_id = %s AND r.number = s.number
"""
_RENAME: Final = """
UPDATE {table} x SET number = names.after FROM unnest(%s::text[], %s::text[]) AS names(before, after)
WHERE x.tenant_id = %s AND x.number = names.before
"""


def erase_people(*, numbers: Collection[str]) -> None:
    """Erase what consent holds of the people behind the numbers, in the caller's transaction."""
    known = sorted(set(numbers))
    PossibleOptOut.objects.filter(number__in=known).exclude(settled_at=None).delete()
    PossibleOptOut.objects.filter(number__in=known).update(wording="", evidence={})
    kept = {
        number
        for model in (Suppression, PossibleOptOut)
        for number in model.objects.filter(number__in=known).values_list("number", flat=True)
    }
    if kept:
        key = _key() or _new_key()
        _rename({number: _hidden(key, number) for number in sorted(kept)})
    NumberMark.objects.filter(number__in=known).delete()
    ChangedNumber.objects.filter(number__in=known).delete()
    PendingOptIn.objects.filter(number__in=known).delete()
    EndedPurpose.objects.filter(number__in=known).delete()
    OptOutQuestion.objects.filter(number__in=known).delete()
    PreferenceLink.objects.filter(number__in=known).delete()
    forget_evidence(numbers=known)


def forget_evidence(*, numbers: Collection[str]) -> None:
    """Erase what the records say of the people behind the numbers, and what follows from it. Suppressions stay."""
    known = sorted(set(numbers))
    ConsentState.objects.filter(number__in=known).delete()
    shells = [f"-{secrets.token_hex(8)[:_DIGITS]}" for _ in known]
    with connection.cursor() as cursor:
        cursor.execute(_ERASE, [known, shells, current_tenant_id()])


def hidden_names(numbers: Collection[str]) -> dict[str, str]:
    """Keyed hash -> number, for each that may be kept as such; empty as long as the tenant never erased one."""
    key = _key()
    return {_hidden(key, number): number for number in numbers} if key else {}


def recognise(numbers: Collection[str]) -> None:
    """Numbers that the tenant has again, of its own: what was kept of them as keyed hashes has its number again."""
    hidden = hidden_names(numbers)
    if hidden:
        _rename(hidden)


def recognise_again(numbers: Callable[[], Collection[str]]) -> None:
    """The same for many numbers, which are asked for only if the tenant ever erased one that had to be kept."""
    if HiddenNumberKey.objects.exists():
        recognise(numbers())


def _rename(names: dict[str, str]) -> None:
    values: list[Any] = [list(names), list(names.values()), current_tenant_id()]
    with connection.cursor() as cursor:
        for model in (Suppression, PossibleOptOut):
            # The names come from our own models.
            cursor.execute(_RENAME.format(table=model._meta.db_table), values)


def _hidden(key: bytes, number: str) -> str:
    digest = hmac.digest(key, number.encode(), "sha256")
    return _MARK + urlsafe_b64encode(digest).decode()[:_DIGITS]


def _key() -> bytes | None:
    stored = HiddenNumberKey.objects.values_list("encrypted", flat=True).first()
    return bytes.fromhex(decrypt(bytes(stored))) if stored else None


def _new_key() -> bytes:
    key = secrets.token_bytes(32)
    HiddenNumberKey.objects.bulk_create([HiddenNumberKey(encrypted=encrypt(key.hex()))], ignore_conflicts=True)
    # Somebody else may have been first.
    return _key() or key
