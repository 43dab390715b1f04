"""The lanes of work: one queue and one worker each, so that a campaign never delays a one-time code."""

from typing import Final

__all__ = [
    "BACKGROUND",
    "CONVERSATION",
    "LANES",
    "MARKETING",
    "REMINDER",
    "SENDING_LANES",
    "TRANSACTIONAL",
    "VERIFICATION",
]

VERIFICATION: Final = "verification"
CONVERSATION: Final = "conversation"
TRANSACTIONAL: Final = "transactional"
REMINDER: Final = "reminder"
MARKETING: Final = "marketing"
BACKGROUND: Final = "background"
"""Imports, campaign planning, receipts and sweeps: work that hands nothing to a provider."""

SENDING_LANES: Final = (VERIFICATION, CONVERSATION, TRANSACTIONAL, REMINDER, MARKETING)
"""In order of urgency."""
LANES: Final = (*SENDING_LANES, BACKGROUND)
