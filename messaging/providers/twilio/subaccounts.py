"""One Twilio account above, and a sub-account of it for each tenant.

A sub-account has its own numbers, opt-outs, token and bill, so that one tenant's trouble stays its own. Creating one has
no idempotency key; its name is what finds one whose creation was not written down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from twilio.rest import Client
from twilio.rest.api.v2010.account import AccountInstance

from messaging.providers.base import CouldNotAsk
from messaging.providers.twilio.asking import ask
from messaging.providers.twilio.sids import is_account
from messaging.providers.twilio.transport import TWILIO_API, Transport

__all__ = ["CLOSED", "ParentAccount", "SubaccountAtTwilio"]

CLOSED: Final = "closed"
"""For ever: Twilio opens no closed account again."""
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class SubaccountAtTwilio:
    """A sub-account as Twilio has it on record."""

    sid: str
    auth_token: str = field(repr=False)
    name: str
    status: str
    created_at: datetime


class ParentAccount:
    """The platform's own account, of which the others are part."""

    def __init__(self, sid: str, auth_token: str, *, base_url: str = TWILIO_API) -> None:
        self._sid = sid
        self._transport = Transport(base_url=base_url, max_in_flight=4)
        self._accounts = Client(sid, auth_token, http_client=self._transport).api.v2010.accounts

    async def find_or_create(self, name: str) -> SubaccountAtTwilio:
        """The sub-account of this name that is not closed, the oldest if there are several. Raises ``CouldNotAsk``.

        Two that create at the same time both look again afterwards, and both take the older one.
        """
        found = await self._open_ones(name)
        if not found:
            created = _read(await ask(lambda: self._accounts.create_async(friendly_name=name)))
            found = await self._open_ones(name) or [created]
        return min(found, key=lambda one: (one.created_at, one.sid))

    async def all(self) -> Sequence[SubaccountAtTwilio]:
        """Every sub-account. Raises ``CouldNotAsk``."""
        return self._subaccounts(await ask(lambda: self._accounts.list_async(page_size=_PAGE)))

    async def set_status(self, sid: str, status: str) -> None:
        """Make it active, suspended or closed. Raises ``CouldNotAsk``."""
        await ask(lambda: self._accounts(sid).update_async(status=status))

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def _open_ones(self, name: str) -> Sequence[SubaccountAtTwilio]:
        known = await ask(lambda: self._accounts.list_async(friendly_name=name, page_size=_PAGE))
        return [one for one in self._subaccounts(known) if one.name == name and one.status != CLOSED]

    def _subaccounts(self, known: Sequence[AccountInstance]) -> Sequence[SubaccountAtTwilio]:
        """Twilio's list begins with the account itself."""
        return [_read(one) for one in known if one.sid != self._sid]


def _read(account: AccountInstance) -> SubaccountAtTwilio:
    if not is_account(account.sid or "") or not isinstance(account.date_created, datetime):
        raise CouldNotAsk("unreadable: no id or no time")
    return SubaccountAtTwilio(
        sid=str(account.sid),
        auth_token=str(account.auth_token or ""),
        name=str(account.friendly_name or ""),
        status=str(account.status or ""),
        created_at=account.date_created.astimezone(UTC),
    )
