"""Messaging services: the provider chooses the number of each text, and its callbacks tell which.

A person's answer goes to that number. It belongs to the service then, so that the reply goes the same way: the provider
keeps to the number that a person knows.
"""

from collections.abc import Iterable

from messaging.models import ProviderAccount, Sender, ServiceNumber
from messaging.providers.base import InboundText, StatusUpdate
from messaging.sender_values import may_be_number

__all__ = ["learn_numbers", "service_of"]


def learn_numbers(account: ProviderAccount, updates: Iterable[StatusUpdate]) -> None:
    """Note the numbers that texts of services came from."""
    _learn(account, {(one.service, one.chosen_number) for one in updates if one.service})


def service_of(account: ProviderAccount, text: InboundText) -> Sender | None:
    """The service that the number belongs to which a text was sent to: as the callback says, else as was learnt."""
    if text.service:
        _learn(account, {(text.service, text.sender)})
        return _services(account, [text.service]).get(text.service)
    learnt = ServiceNumber.objects.filter(service__provider_account=account, number=text.sender)
    number = learnt.select_related("service").order_by("-id").first()
    return number.service if number else None


def _learn(account: ProviderAccount, told: set[tuple[str, str]]) -> None:
    told = {(sid, number) for sid, number in told if may_be_number(number)}
    if not told:
        return
    known = ServiceNumber.objects.filter(
        service__provider_account=account, number__in={number for _, number in told}
    ).values_list("service__value", "number")
    new = told - set(known)
    services = _services(account, {sid for sid, _ in new})
    rows = [ServiceNumber(service=services[sid], number=number) for sid, number in sorted(new) if sid in services]
    ServiceNumber.objects.bulk_create(rows, ignore_conflicts=True)


def _services(account: ProviderAccount, sids: Iterable[str]) -> dict[str, Sender]:
    """The account's services that are set up here, by their ids."""
    found = Sender.objects.filter(provider_account=account, kind=Sender.Kind.SERVICE, value__in=list(sids))
    return {service.value: service for service in found}
