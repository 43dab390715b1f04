"""A sub-account at Twilio for each tenant, under the account that runs the platform.

Twilio is never called inside a transaction, and each step may be repeated: whoever dies between creating a sub-account
and storing it finds it by its name the next time.
"""

from typing import Final

from django.core.exceptions import ValidationError

from messaging.models import ProviderAccount, Subaccount
from messaging.pipeline.subaccounts import ask_parent, is_configured, name_of
from messaging.providers.twilio.subaccounts import SubaccountAtTwilio
from messaging.services.senders import add_provider_account
from tenants.models import Tenant
from tenants.scope import tenant_scope

__all__ = ["provide_subaccount"]

ACCOUNT_NAME: Final = "Twilio (own sub-account)"


def provide_subaccount(*, tenant: Tenant) -> ProviderAccount:
    """The tenant's sub-account as its provider account; both are made unless they are there.

    Raises ``ValidationError`` and ``CouldNotAsk``.
    """
    if not is_configured():
        raise ValidationError("Set TWILIO_PARENT_ACCOUNT_SID and TWILIO_PARENT_AUTH_TOKEN first.")
    if not tenant.may_send:
        raise ValidationError("This account is suspended or about to be deleted.")
    with tenant_scope(tenant.id):
        known = _known()
    if known is not None:
        return known
    found = ask_parent(lambda parent: parent.find_or_create(name_of(tenant)))
    with tenant_scope(tenant.id, durable=True):
        return _store(tenant, found)


def _known() -> ProviderAccount | None:
    row = Subaccount.objects.select_related("provider_account").first()
    return row.provider_account if row else None


def _store(tenant: Tenant, found: SubaccountAtTwilio) -> ProviderAccount:
    # One after the other: two that were started at the same time found the same sub-account.
    Tenant.objects.select_for_update().get(id=tenant.id)
    known = _known()
    if known is not None:
        return known
    account = ProviderAccount.objects.filter(account_reference=found.sid).first() or add_provider_account(
        kind=ProviderAccount.Kind.TWILIO,
        name=ACCOUNT_NAME,
        credentials={"account_sid": found.sid, "auth_token": found.auth_token},
        # Twilio answers STOP and HELP in a new account until that is switched off there.
        answers_keywords=True,
    )
    Subaccount.objects.create(provider_account=account)
    return account
