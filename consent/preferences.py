"""The page on which people choose what a business texts them, by a link that only their phone has.

A link is derived from the tenant, the number and a secret of the platform, so the same person always has the same one and a
text can be written before anything is stored. Of it only a hash is kept. The page can end consent; it never begins any:
what somebody had not agreed to is not offered.
"""

from base64 import b32encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Model
from django.urls import reverse
from django.utils.crypto import salted_hmac

from consent.appending import NewRecord
from consent.ledger import record
from consent.models import ConsentRecord, ConsentState, PreferenceLink
from consent.purposes import Purpose
from consent.revocation_lock import hold_after_calls
from consent.services import is_suppressed, opt_out
from tenants import audit
from tenants.scope import all_tenants, current_tenant_id

__all__ = ["TAG", "Standing", "find", "keep_links", "link_of", "standing", "stop_all", "stop_some"]

TAG: Final = "preferences_link"
"""The merge tag."""
_BYTES: Final = 10
"""80 bits: nobody finds a link by trying, and in a text it takes 16 characters."""
_CHOICES: Final = (Purpose.MARKETING, Purpose.TRANSACTIONAL, Purpose.REMINDER, Purpose.SUPPORT)


def link_of(number: str) -> str:
    """The link of a number of the active tenant. It leads somewhere from when ``keep_links`` has been called."""
    return settings.PUBLIC_BASE_URL + reverse("preferences", args=[_token(number)])


def keep_links(numbers: Collection[str]) -> None:
    """From now on the links of these numbers work."""
    PreferenceLink.objects.bulk_create(
        [PreferenceLink(number=number, token_hash=_hash(_token(number))) for number in sorted(set(numbers))],
        ignore_conflicts=True,
    )


def find(token: str) -> tuple[UUID, str] | None:
    """Tenant and number of a link, or None."""
    with all_tenants("a link names no tenant"):
        return PreferenceLink.objects.filter(token_hash=_hash(token)).values_list("tenant_id", "number").first()


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person gets: the purposes they agreed to, none if ``stopped``."""

    purposes: tuple[Purpose, ...]
    stopped: bool


def standing(number: str) -> Standing:
    """Where a number of the active tenant stands."""
    agreed = set(
        ConsentState.objects.filter(number=number, act=ConsentRecord.Act.OPT_IN).values_list("purpose", flat=True)
    )
    stopped = is_suppressed(number=number)
    return Standing(() if stopped else tuple(one for one in _CHOICES if one in agreed), stopped)


def stop_some(
    *,
    number: str,
    purposes: Collection[str],
    wording: str,
    evidence: Mapping[str, object],
    source: str = ConsentRecord.Source.PREFERENCES,
    actor_id: UUID | None = None,
    about: Model | None = None,
) -> list[str]:
    """End the agreement to some purposes; returns those that were in force until now. What waits of them ends, too.

    ``about``: what the audit log names when staff (``actor_id``) wrote it down.
    """
    hold_after_calls([number])
    ended = [one for one in standing(number).purposes if one in purposes]
    record(
        [
            NewRecord(
                number=number,
                purpose=purpose,
                act=ConsentRecord.Act.OPT_OUT.value,
                source=source,
                wording=wording,
                evidence=dict(evidence),
                actor_id=actor_id,
            )
            for purpose in ended
        ]
    )
    if actor_id is not None and ended:
        after = {"source": source, "purposes": [str(one) for one in ended]}
        audit.record("consent.purpose_ended", target=about, target_name="", after=after)
    return [str(one) for one in ended]


def stop_all(*, number: str, wording: str, evidence: Mapping[str, object]) -> None:
    """Nothing at all goes to the number any more, as after a STOP."""
    opt_out(number=number, source=ConsentRecord.Source.PREFERENCES, wording=wording, evidence=evidence)


def _token(number: str) -> str:
    secret = salted_hmac("consent.preferences", f"{current_tenant_id()}:{number}", algorithm="sha256").digest()
    return b32encode(secret[:_BYTES]).decode().lower()


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
