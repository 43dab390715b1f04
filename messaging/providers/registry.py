"""Which adapter serves which kind of account: one line a provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from messaging.providers.base import Provider
from messaging.providers.simulator import SimulatorProvider
from messaging.providers.telnyx import TelnyxProvider
from messaging.providers.twilio import TwilioProvider

__all__ = ["PROVIDERS", "Addresses", "make_provider"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the providers' APIs are reached; settings may point them to an emulator."""

    twilio: str
    telnyx: str
    simulator: str


Maker = Callable[[Mapping[str, str], Addresses, int], Provider]

PROVIDERS: Mapping[str, Maker] = {
    "twilio": lambda credentials, addresses, cap: TwilioProvider(
        credentials, base_url=addresses.twilio, max_in_flight=cap
    ),
    "telnyx": lambda credentials, addresses, cap: TelnyxProvider(
        credentials, base_url=addresses.telnyx, max_in_flight=cap
    ),
    "simulator": lambda credentials, addresses, cap: SimulatorProvider(
        credentials, base_url=addresses.simulator, max_in_flight=cap
    ),
}


def make_provider(kind: str, credentials: Mapping[str, str], addresses: Addresses, max_in_flight: int) -> Provider:
    """An adapter bound to an account's credentials."""
    return PROVIDERS[kind](credentials, addresses, max_in_flight)
