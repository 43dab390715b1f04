"""Chaos by seed: a share of the texts gets one disturbance. The same seed and attempt always get the same one."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from messaging.providers.simulator.behaviour import Answer, Behaviour

__all__ = ["DISTURBANCES", "disturbance_of"]

DISTURBANCES: Final[dict[str, Callable[[Behaviour], Behaviour]]] = {
    "busy": lambda usual: replace(usual, http_status=429, error_code="20429"),
    "fails_before": lambda usual: replace(usual, http_status=500, error_code="20500"),
    "fails_after": lambda usual: replace(usual, answer=Answer.FAILS),
    "reset_after": lambda usual: replace(usual, answer=Answer.RESET),
    "late": lambda usual: replace(usual, answer=Answer.LATE),
    "receipts_lost": lambda usual: replace(usual, lost=usual.receipts),
    "receipts_doubled": lambda usual: replace(usual, receipts=tuple(one for one in usual.receipts for _ in (1, 2))),
    "receipts_reversed": lambda usual: replace(usual, receipts=usual.receipts[::-1]),
    "receipts_early": lambda usual: replace(usual, early=True),
}
"""What each does to the behaviour that the text would have met."""


def disturbance_of(seed: int, rate: float, attempt: str) -> str:
    """The name of the disturbance that an attempt gets, or an empty string."""
    dice = random.Random(f"{seed}:{attempt}")  # noqa: S311 - not a secret
    # Drawn in this order, a higher rate disturbs the same attempts in the same way, and others besides.
    disturbed, name = dice.random() < rate, dice.choice(list(DISTURBANCES))
    return name if disturbed else ""
