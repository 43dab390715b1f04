"""Conversations of two contacts that become one: one thread per number stays."""

from contacts.merging import Merger
from support.models import Conversation

__all__ = ["move_conversations"]


def move_conversations(merger: Merger) -> None:
    """The threads of the contact that goes belong to the one that stays."""
    Conversation.objects.filter(number__in=list(merger.numbers)).update(contact_id=merger.kept_id)
