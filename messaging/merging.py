"""Messages of two contacts that become one."""

from contacts.merging import Merger
from messaging.models import InboundMessage, Message

__all__ = ["move_messages"]


def move_messages(merger: Merger) -> None:
    """Messages and incoming texts of the contact that goes belong to the one that stays; found by their numbers."""
    for model in (Message, InboundMessage):
        rows = model._default_manager.filter(number__in=list(merger.numbers), contact_id=merger.gone_id)
        rows.update(contact_id=merger.kept_id)
