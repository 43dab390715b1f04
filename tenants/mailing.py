"""Sending the mails that wait: claimed in one transaction, sent outside any, noted in another.

A process that dies in between leaves a mail that is sent again; losing it would be worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.timezone import now

from common.retries import each
from tenants.models import Invitation, OutgoingMail, Tenant
from tenants.scope import all_tenants, current_tenant_id, tenant_scope
from tenants.secrets import hash_of, new_secret

__all__ = ["invitation_url", "send_due"]

AT_ONCE: Final = 50
MOST_TRIES: Final = 8
PAUSE: Final = timedelta(minutes=2)
"""Doubled after each try: the last one is about four hours after the first."""


@dataclass(frozen=True, slots=True)
class _Text:
    address: str
    subject: str
    body: str
    attachments: Sequence[tuple[str, bytes]]


def invitation_url(invitation_id: UUID, secret: str) -> str:
    """The link of an invitation."""
    return settings.PUBLIC_BASE_URL + reverse("invitation", args=[invitation_id, secret])


def send_due() -> None:
    """Send what is due, up to ``AT_ONCE`` mails; one that fails is due again later."""
    each(_claim(), lambda claimed: _send(*claimed), doing="send a mail")


def _claim() -> list[tuple[UUID, UUID]]:
    with all_tenants("mails that are due"):
        waiting = OutgoingMail.objects.filter(sent_at=None, dropped_at=None, due_at__lte=now())
        due = list(
            waiting.select_for_update(skip_locked=True)
            .order_by("due_at")
            .values_list("tenant_id", "id", "tries")[:AT_ONCE]
        )
        for _, mail_id, tries in due:
            OutgoingMail.objects.filter(id=mail_id).update(tries=tries + 1, due_at=now() + PAUSE * 2**tries)
        return [(tenant_id, mail_id) for tenant_id, mail_id, _ in due]


def _send(tenant_id: UUID, mail_id: UUID) -> None:
    with tenant_scope(tenant_id, durable=True):
        mail = OutgoingMail.objects.get(id=mail_id)
        text = _compose(mail)
        if text is None or mail.tries > MOST_TRIES:
            OutgoingMail.objects.filter(id=mail_id).update(dropped_at=now())
            return
    # Not as texts: mail servers may end their lines in another way, and what is signed would not be the same.
    attachments = [(name, data, "application/octet-stream") for name, data in text.attachments]
    EmailMessage(text.subject, text.body, settings.DEFAULT_FROM_EMAIL, [text.address], attachments=attachments).send()
    with tenant_scope(tenant_id, durable=True):
        OutgoingMail.objects.filter(id=mail_id).update(sent_at=now())


def _compose(mail: OutgoingMail) -> _Text | None:
    """The mail as it reads now; None when there is nothing left to say."""
    tenant = Tenant.objects.get(id=current_tenant_id())
    attachments: Sequence[tuple[str, bytes]] = ()
    context: dict[str, Any] = {"tenant": tenant, "base_url": settings.PUBLIC_BASE_URL}
    if mail.kind == OutgoingMail.Kind.INVITATION:
        invitation = Invitation.objects.select_related("invited_by").filter(id=mail.about_id or mail.id).first()
        if invitation is None or not invitation.usable:
            return None
        context |= {"invitation": invitation, "url": _mailed_link(invitation)}
    if mail.kind in settings.MAIL_CONTEXTS:
        more = import_string(settings.MAIL_CONTEXTS[mail.kind])(mail.about_id)
        if more is None:
            return None
        context |= more
        attachments = more.get("attachments", ())
    subject = render_to_string(f"tenants/mail/{mail.kind}_subject.txt", context)
    # A header has one line, and names are typed by people.
    body = render_to_string(f"tenants/mail/{mail.kind}.txt", context)
    return _Text(mail.address, " ".join(subject.split()), body, attachments)


def _mailed_link(invitation: Invitation) -> str:
    """A link that only the reader of the mail has; the one in an earlier mail stops working."""
    secret = new_secret()
    Invitation.objects.filter(id=invitation.id).update(mailed_hash=hash_of(secret))
    return invitation_url(invitation.id, secret)
