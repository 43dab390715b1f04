"""The simulated phone network: a provider whose phones are virtual, for demos and tests."""

from messaging.providers.simulator.adapter import SimulatorProvider

__all__ = ["SimulatorProvider"]
