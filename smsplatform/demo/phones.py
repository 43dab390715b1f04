"""Putting the newest texts of the demo's history onto the virtual phones."""

import redis
from django.conf import settings

from messaging.models import Message, Sender
from messaging.providers.simulator.handsets import ShownText, keys_of, stored

__all__ = ["show_on_phones"]


def show_on_phones(sender: Sender, *, limit: int) -> None:
    """Show the newest delivered texts of the active tenant where they arrived."""
    store = redis.Redis.from_url(settings.REDIS_URL)
    delivered = Message.objects.filter(status=Message.Status.DELIVERED).order_by("-created_at")[:limit]
    with store.pipeline(transaction=False) as pipeline:
        for message in reversed(delivered):
            thread, recent, arrived = keys_of(message.number)
            at = message.created_at.timestamp()
            pipeline.lpush(thread, stored(ShownText(incoming=True, sender=sender.value, body=message.body, at=at)))
            pipeline.zadd(recent, {message.number: at})
            pipeline.incr(arrived)
        account = sender.provider_account
        inbound = f"{settings.PUBLIC_BASE_URL}/callbacks/{account.kind}/{account.id}/inbound"
        pipeline.set(f"phones:inbound:{sender.value}", inbound)
        pipeline.execute()
