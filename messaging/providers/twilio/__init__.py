"""Twilio."""

from messaging.providers.twilio.adapter import TwilioProvider

__all__ = ["TwilioProvider"]
