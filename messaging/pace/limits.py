"""The pace of a sender: what is set, else what its kind may do; and that of its account."""

from collections.abc import Sequence

from messaging.models import ProviderAccount, Sender
from messaging.pace.rules import BY_KIND

__all__ = ["bucket_of", "keys_of", "pace_of", "rates_of"]


def pace_of(sender: Sender) -> float | None:
    """Parts a second; None for a simulated sender without one, which carriers do not limit."""
    if sender.parts_per_second is not None:
        return float(sender.parts_per_second)
    if sender.provider_account.kind == ProviderAccount.Kind.SIMULATOR:
        return None
    return BY_KIND[sender.kind].parts_per_second


def rates_of(sender: Sender) -> Sequence[float]:
    """The limits that hold for the sender, its own first, then its account's."""
    own, account = pace_of(sender), sender.provider_account.parts_per_second
    return [float(rate) for rate in (own, account) if rate is not None]


def bucket_of(sender: Sender) -> str:
    """The name of its own bucket."""
    return f"pace:{sender.tenant_id}:sender:{sender.id}"


def keys_of(sender: Sender) -> Sequence[str]:
    """The names of its buckets, in the order of ``rates_of``."""
    account = sender.provider_account
    keys = [bucket_of(sender)] if pace_of(sender) is not None else []
    return [*keys, f"pace:{sender.tenant_id}:account:{account.id}"] if account.parts_per_second is not None else keys
