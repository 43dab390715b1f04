"""Stage 3, route: which sender, and so which provider account, carries a batch."""

from dataclasses import dataclass
from uuid import UUID

from messaging.models import ProviderAccount, Sender

__all__ = ["Route", "choose"]


@dataclass(frozen=True, slots=True)
class Route:
    """The choice, or why there is none."""

    sender: Sender | None
    problem: str = ""
    waits: bool = False
    """The problem is one that staff made and can end: what is queued waits for that."""


def choose(sender_id: UUID | None) -> Route:
    """The sender asked for, else the tenant's default one, else any that works."""
    senders = Sender.objects.select_related("provider_account")
    if sender_id is not None:
        return _checked(senders.get(id=sender_id))
    sender = senders.filter(status=Sender.Status.ACTIVE).order_by("-is_default", "created_at").first()
    if sender is None and senders.exists():
        return Route(None, "All senders are paused.", waits=True)
    if sender is None:
        return Route(None, "No sender is set up. Add one under Settings > Senders.")
    return _checked(sender)


def _checked(sender: Sender) -> Route:
    if sender.status != Sender.Status.ACTIVE:
        return Route(None, f"The sender {sender} is paused.", waits=True)
    if sender.provider_account.status != ProviderAccount.Status.ACTIVE:
        return Route(None, f"The provider account {sender.provider_account} is paused.", waits=True)
    return Route(sender)
