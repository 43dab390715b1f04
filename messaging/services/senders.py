"""Accounts at providers, and the senders that messages come from."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction

from common.unique import AlreadyThere, unique
from messaging.models import ProviderAccount, Sender, SenderPool
from messaging.sender_values import checked_value
from tenants.audit import record
from tenants.models import Tenant

__all__ = [
    "add_provider_account",
    "add_sender",
    "make_default_sender",
    "replace_secret",
    "set_account_status",
    "set_pace",
    "set_sender_status",
]

_SECRETS: Final[Mapping[str, str]] = {
    ProviderAccount.Kind.TWILIO: "auth_token",
    ProviderAccount.Kind.TELNYX: "api_key",
    ProviderAccount.Kind.SIMULATOR: "secret",
}
"""What the secret of each provider that can be replaced is called among its credentials."""

_OF_SENDERS: Final = ("held_until", "held_because")
_OF_ACCOUNTS: Final = ("broken_since", "probe_at", "probes")
"""What is settled, too, when a person decides about one."""


def add_provider_account(*, kind: str, name: str, credentials: Mapping[str, str], **options: object) -> ProviderAccount:
    """Keep an account at a provider; the credentials are stored encrypted."""
    reference = credentials.get("account_sid") or credentials.get("messaging_profile_id", "")
    account = ProviderAccount(kind=kind, name=name.strip(), account_reference=reference)
    account.credentials = dict(credentials)
    for option, value in options.items():
        setattr(account, option, value)
    account.full_clean(exclude=["tenant", "encrypted_credentials"])
    taken = ValidationError({"name": "There is an account with this name already."})
    if ProviderAccount.objects.filter(name=account.name).exists():
        raise taken
    try:
        with unique():
            account.save()
    except AlreadyThere:
        raise taken from None
    record(
        "account.added",
        target=account,
        after={"kind": kind, "reference": account.account_reference, "answers_keywords": account.answers_keywords},
    )
    return account


def add_sender(*, tenant: Tenant, account: ProviderAccount, value: str, kind: str, label: str = "") -> Sender:
    """Add a number or a messaging service that texts come from; the first one becomes the default."""
    if Sender.objects.count() >= tenant.most_senders:
        raise ValidationError(
            {
                "value": f"This account can have {tenant.most_senders} number{'' if tenant.most_senders == 1 else 's'}. "
                "Ask the platform's team for more."
            }
        )
    typed = checked_value(value, kind=kind, account=account, country=tenant.country)
    known = ValidationError({"value": "This number is a sender already."})
    if Sender.objects.filter(provider_account=account, value=typed).exists():
        raise known
    sender = Sender(
        provider_account=account, value=typed, kind=kind, label=label.strip(), country=tenant.country, is_default=False
    )
    try:
        with unique():
            sender.save()
    except AlreadyThere:
        raise known from None
    record("sender.added", target=sender, after={"number": sender.value, "kind": kind, "account": account.name})
    return _default_if_first(sender)


def _default_if_first(sender: Sender) -> Sender:
    if Sender.objects.filter(is_default=True).exists():
        return sender
    try:
        with unique():
            make_default_sender(sender=sender)
    except AlreadyThere:
        # Another first one was added at the same moment.
        sender.is_default = False
    return sender


@transaction.atomic
def make_default_sender(*, sender: Sender) -> None:
    """Texts come from this number unless another one is asked for."""
    usual = SenderPool.objects.filter(is_default=True).first() or Sender.objects.filter(is_default=True).first()
    SenderPool.objects.filter(is_default=True).update(is_default=False)
    Sender.objects.filter(is_default=True).update(is_default=False)
    sender.is_default = True
    sender.save(update_fields=["is_default"])
    record(
        "sender.made_default",
        target=sender,
        before={"usual": str(usual) if usual else None},
        after={"usual": str(sender)},
    )


def set_sender_status(*, sender: Sender, active: bool) -> None:
    """Pause a sender or take it up again; what is queued for it waits as long as it is worth sending."""
    before = _as_it_is(sender)
    _decide(sender, active=active)
    record("sender.status_changed", target=sender, before=before, after=_as_it_is(sender))


def set_pace(*, sender: Sender, parts_per_second: Decimal | None, parts_per_day: int | None) -> None:
    """Say how fast a number may go; what waits for its pace feels it within minutes."""
    before = _pace(sender)
    sender.parts_per_second, sender.parts_per_day = parts_per_second, parts_per_day
    sender.save(update_fields=["parts_per_second", "parts_per_day"])
    if _pace(sender) != before:
        record("sender.pace_changed", target=sender, before=before, after=_pace(sender))


def set_account_status(*, account: ProviderAccount, active: bool) -> None:
    """Pause an account with all its senders, or take it up again."""
    before = _as_it_is(account)
    _decide(account, active=active)
    record("account.status_changed", target=account, before=before, after=_as_it_is(account))


def replace_secret(*, account: ProviderAccount, secret: str, api_key: Mapping[str, str] | None = None) -> None:
    """Use another secret from now on; an account that the provider refused is taken up again with it.

    Callbacks that Twilio signs with the auth token before still count; Telnyx signs with a key that stays. ``api_key`` are
    credentials beside the secret; without them those that are stored stay.
    """
    known = account.credentials
    name = _SECRETS[account.kind]
    changed = dict(api_key or {})
    if secret != known.get(name):
        changed[name] = secret
        if account.kind == ProviderAccount.Kind.TWILIO:
            changed["secondary_token"] = known.get(name, "")
    changed = {key: value for key, value in changed.items() if known.get(key, "") != value}
    if changed:
        account.credentials = {**known, **changed}
        account.save(update_fields=["encrypted_credentials"])
        record("account.secret_replaced", target=account)
    if account.is_refused:
        set_account_status(account=account, active=True)


def _decide(target: Sender | ProviderAccount, *, active: bool) -> None:
    target.decide(active=active)
    own = _OF_SENDERS if isinstance(target, Sender) else _OF_ACCOUNTS
    target.save(update_fields=["status", "trouble", "taken_up_at", *own])


def _pace(sender: Sender) -> dict[str, Decimal | int | None]:
    return {"parts_per_second": sender.parts_per_second, "parts_per_day": sender.parts_per_day}


def _as_it_is(target: Sender | ProviderAccount) -> dict[str, str]:
    return {"status": target.status, "error_code": target.trouble}
