"""Accounts at providers, and the senders that messages come from."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from common.phone_numbers import NumberProblem, parse
from common.unique import AlreadyThere, unique
from messaging.models import ProviderAccount, Sender
from tenants.audit import record
from tenants.models import Tenant

__all__ = [
    "add_provider_account",
    "add_sender",
    "make_default_sender",
    "renew_token",
    "set_account_status",
    "set_sender_status",
]


def add_provider_account(*, kind: str, name: str, credentials: Mapping[str, str], **options: object) -> ProviderAccount:
    """Keep an account at a provider; the credentials are stored encrypted."""
    account = ProviderAccount(kind=kind, name=name.strip(), account_reference=credentials.get("account_sid", ""))
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
    """Add a number that texts come from; the first one becomes the default."""
    if Sender.objects.count() >= tenant.most_senders:
        raise ValidationError(
            {
                "value": f"This account can have {tenant.most_senders} number{'' if tenant.most_senders == 1 else 's'}. "
                "Ask the platform's team for more."
            }
        )
    typed = value.strip()
    if kind == Sender.Kind.SHORT_CODE:
        if not (typed.isascii() and typed.isdigit() and 3 <= len(typed) <= 8):
            raise ValidationError({"value": "A short code has 3 to 8 digits."})
    else:
        try:
            typed = parse(typed, tenant.country).e164
        except NumberProblem as problem:
            raise ValidationError({"value": str(problem)}) from None
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
    usual = Sender.objects.filter(is_default=True).first()
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
    """Pause a sender or take it up again; what is queued for a paused sender is refused with that reason."""
    _set_status(sender, active=active)


def set_account_status(*, account: ProviderAccount, active: bool) -> None:
    """Pause an account with all its senders, or take it up again."""
    _set_status(account, active=active)


def renew_token(*, account: ProviderAccount, auth_token: str) -> None:
    """Use another token from now on, and take the account up; callbacks signed with the one before still count."""
    before = account.credentials
    if auth_token != before.get("auth_token"):
        account.credentials = {**before, "auth_token": auth_token, "secondary_token": before.get("auth_token", "")}
        account.save(update_fields=["encrypted_credentials"])
        record("account.token_renewed", target=account)
    _set_status(account, active=True)


def _set_status(target: Sender | ProviderAccount, *, active: bool) -> None:
    before = {"status": target.status, **({"error_code": target.trouble} if target.trouble else {})}
    target.status = target.Status.ACTIVE if active else target.Status.PAUSED
    target.trouble = ""
    target.taken_up_at = timezone.now()
    target.save(update_fields=["status", "trouble", "taken_up_at"])
    record(
        "sender.status_changed" if isinstance(target, Sender) else "account.status_changed",
        target=target,
        before=before,
        after={"status": target.status},
    )
