"""Reading the mails that the product sends."""

import re
from urllib.parse import urlsplit

from django.core import mail

from tenants.tasks import send_mails

__all__ = ["link_in", "sent_mails"]


def sent_mails() -> list[mail.EmailMessage]:
    """What the worker sends when it looks now; the box is empty afterwards."""
    send_mails()
    messages = list(mail.outbox)
    mail.outbox.clear()
    return messages


def link_in(text: str) -> str:
    """The path of the only link in a text."""
    links = re.findall(r"https?://\S+", text)
    assert len(links) == 1, text
    return urlsplit(links[0]).path
