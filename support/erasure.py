"""Erasing people from the inbox."""

from contacts.erasure import People
from support.models import Conversation

__all__ = ["erase_conversations"]


def erase_conversations(people: People) -> None:
    """Remove their conversations; a new one begins when they write again."""
    Conversation.objects.filter(number__in=people.numbers).delete()
