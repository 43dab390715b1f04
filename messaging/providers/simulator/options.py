"""How the simulated network is set up."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """Times in seconds. Latency, chaos and seed are only where the weather starts."""

    secret: str
    redis_url: str
    address: str
    """Where the platform reaches this network; its requests are signed over it."""
    latency: float = 0.08
    receipt_delay: float = 0.6
    seed: int = 1
    log: Path | None = None
    record_since: float = 0.0
    """Texts from before that may be missing on the record."""
    latency_kind: str = "uniform"
    latency_p99: float = 0.4
    chaos: float = 0.0
    """The share of texts that is disturbed."""
    slow: float = 4.0
    """So much longer a slow phone's answer takes."""
    late: float = 16.0
    """So long after it took a text the network answers late: longer than the platform waits."""
