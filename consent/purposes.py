"""Why a message is sent. Each message has exactly one purpose; it decides which consent the message needs."""

from typing import Final

from django.db import models

__all__ = ["PURPOSES_WITH_CONSENT", "Purpose"]


class Purpose(models.TextChoices):
    """The six purposes."""

    MARKETING = "marketing", "Offers and news"
    TRANSACTIONAL = "transactional", "Orders and bookings"
    REMINDER = "reminder", "Reminders"
    SUPPORT = "support", "Conversations and support"
    VERIFICATION = "verification", "One-time codes"
    INTERNAL = "internal", "Own team"


PURPOSES_WITH_CONSENT: Final = (
    Purpose.MARKETING,
    Purpose.TRANSACTIONAL,
    Purpose.REMINDER,
    Purpose.SUPPORT,
    Purpose.INTERNAL,
)
"""Those that a person opts in to; a one-time code is asked for each time."""
