"""Telnyx."""

from messaging.providers.telnyx.adapter import TelnyxProvider

__all__ = ["TelnyxProvider"]
