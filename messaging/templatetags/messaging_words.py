"""Words for messages and their parts."""

from django import template

from messaging.models import Message
from messaging.reasons import reason_of

register = template.Library()


@register.filter
def reason(message: Message) -> str:
    """Why the message was not sent or did not arrive; empty for any other."""
    return reason_of(message)
