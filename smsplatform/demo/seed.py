"""Making the demo: two tenants, one of them with a few hundred contacts and a month of history. Runs once."""

import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from analytics.figures import refresh_tenant
from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentRecord
from contacts.folding import fold
from contacts.models import Contact, ContactList, ContactTag, ListMember, Tag
from contacts.services import ensure_fields
from contacts.values import add_values
from messaging.models import MessageTemplate, ProviderAccount, Sender
from messaging.services import add_provider_account, add_sender, set_part_price
from smsplatform.demo.history import past_bookings, past_campaign, past_replies, past_stop
from smsplatform.demo.people import DemoPerson, people
from smsplatform.demo.phones import show_on_phones
from tenants.models import Tenant, User
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.services import accept_membership, add_member, create_tenant

__all__ = ["OWNER_EMAIL", "seed"]

OWNER_EMAIL: Final = "owner@demo.example"
_WORKING_DAY: Final = timedelta(hours=9)
_TEAM: Final = (
    ("mona@demo.example", "Mona Reyes", Role.MANAGER),
    ("bob@demo.example", "Bob Chen", Role.AGENT),
    ("vera@demo.example", "Vera Novak", Role.VIEWER),
)
_WEB_WORDING: Final = (
    "I agree to get texts with offers and news from Harbor Street Clinic at this number. About 4 a month. Message and "
    "data rates may apply. Reply STOP to opt out, HELP for help. Agreeing is not a condition of any purchase."
)
_BOOKSHOP_WORDING: Final = (
    "Text me about new books and readings at Corner Books at this number. About 2 texts a month. Message and data rates "
    "may apply. Reply STOP to opt out, HELP for help. Agreeing is not a condition of any purchase."
)
_CLINIC_LISTS: Final = (("Patients", 0.8), ("Newsletter", 0.6), ("Families", 0.25))
_SHOP_LISTS: Final = (("Readers", 0.9), ("Events", 0.5))
_CAMPAIGNS: Final = (
    (
        26,
        "Autumn check-up",
        "Hi {{ first_name | there }}, autumn is check-up time. Book this week and skip the waiting room: harbor.example/book",
    ),
    (
        19,
        "Flu shots",
        "Hi {{ first_name | there }}, flu shots are here. Walk in any weekday 9-5, no appointment needed.",
    ),
    (11, "Saturday hours", "Good news {{ first_name | there }}: from this month we are open on Saturdays, 9 to 1."),
    (4, "Whitening offer", "Hi {{ first_name | there }}, 20% off whitening until the end of the month. Reply to book."),
)
_REPLIES: Final = (
    "Yes please, Tuesday works for me",
    "Is parking free on Saturdays?",
    "Can I bring my daughter along?",
    "Thanks! See you then",
    "What does it cost with insurance?",
    "I'm running 10 minutes late, sorry",
    "Who is this?",
    "Could we move it to Friday afternoon?",
    "Do you have anything earlier?",
    "Great, thank you!",
)
_TEMPLATES: Final = (
    (
        "Appointment booked",
        "transactional",
        "Hi {{ first_name | there }}, your visit is booked. Reply C to confirm or call us to change it.",
    ),
    ("Monthly news", "marketing", "Hi {{ first_name | there }}, here is what is new at {{ brand }} this month: "),
    ("We missed you", "reminder", "Hi {{ first_name | there }}, we missed you today. Reply to find a new time."),
)


def seed(*, password: str) -> User:
    """Make the demo tenants unless they exist; returns the demo owner, who signs in with ``password``."""
    owner = User.objects.filter(email=OWNER_EMAIL).first()
    if owner is None:
        owner = _clinic()
        _shop()
    owner.set_password(password)
    owner.save()
    _refresh_simulator_secret()
    return owner


def _clinic() -> User:
    tenant, owner = create_tenant(
        name="Harbor Street Clinic",
        owner_email=OWNER_EMAIL,
        timezone="America/New_York",
        help_contact="Call 202-555-0100 or write to care@harbor.example.",
    )
    owner.name = "Olivia Owens"
    owner.save()
    with tenant_scope(tenant.id):
        for email, name, role in _TEAM:
            accept_membership(membership=add_member(email=email, role=role, name=name))
        account = _simulator_account()
        sender = add_sender(tenant=tenant, account=account, value="+12025550100", kind="long_code", label="Front desk")
        add_sender(tenant=tenant, account=account, value="+18445550101", kind="toll_free", label="Toll-free")
        set_part_price(micros=8_300, currency="USD")
        for name, purpose, body in _TEMPLATES:
            MessageTemplate.objects.create(name=name, purpose=purpose, body=body)
        contacts = _contacts(people(360, seed=7), _CLINIC_LISTS)
        agreed = _consent(contacts, owner)
        _history(contacts, agreed, sender, owner)
    refresh_tenant(tenant, days=31)
    return owner


def _shop() -> None:
    tenant, owner = create_tenant(
        name="Corner Books", owner_email="shop-owner@demo.example", timezone="America/Chicago"
    )
    with tenant_scope(tenant.id):
        add_member(email=OWNER_EMAIL, role=Role.MANAGER)
        add_sender(tenant=tenant, account=_simulator_account(), value="+13125550102", kind="long_code", label="Shop")
        _join_the_readers(_contacts(people(40, seed=11), _SHOP_LISTS), owner)


def _simulator_account() -> ProviderAccount:
    return add_provider_account(
        kind=ProviderAccount.Kind.SIMULATOR,
        name="Simulated phone network",
        credentials={"secret": settings.SIMULATOR_SECRET},
        # The network shares the machine with everything else.
        max_in_flight=64,
    )


def _refresh_simulator_secret() -> None:
    """A new data folder of the stack has a new secret; the accounts follow it."""
    for tenant in Tenant.objects.all():
        with tenant_scope(tenant.id):
            for account in ProviderAccount.objects.filter(kind=ProviderAccount.Kind.SIMULATOR):
                account.credentials = {"secret": settings.SIMULATOR_SECRET}
                account.save(update_fields=["encrypted_credentials"])


def _contacts(made_up: Sequence[DemoPerson], lists: Sequence[tuple[str, float]]) -> list[Contact]:
    dice = random.Random(3)  # noqa: S311
    contacts = Contact.objects.bulk_create(
        Contact(
            number=person.number,
            first_name=person.first_name,
            last_name=person.last_name,
            first_key=fold(person.first_name),
            last_key=fold(person.last_name),
            email=person.email,
            language=dice.choice(("en", "en", "en", "en", "es")),
            fields={"city": person.city},
            created_at=timezone.now() - timedelta(days=dice.uniform(31, 400)),
        )
        for person in made_up
    )
    ensure_fields(names=["city"])
    add_values((contact.id, contact.fields) for contact in contacts)
    for name, share in lists:
        contact_list = ContactList.objects.create(name=name)
        ListMember.objects.bulk_create(
            ListMember(contact_list=contact_list, contact=contact) for contact in contacts if dice.random() < share
        )
    for name, share in (("new", 0.15), ("VIP", 0.05)):
        tag = Tag.objects.create(name=name)
        ContactTag.objects.bulk_create(
            ContactTag(tag=tag, contact=contact) for contact in contacts if dice.random() < share
        )
    return contacts


def _consent(contacts: Sequence[Contact], owner: User) -> set[str]:
    """Most people agreed to offers on the web form or on paper, nearly all to booking texts."""
    dice = random.Random(5)  # noqa: S311
    agreements = []
    for contact in contacts:
        source = ConsentRecord.Source.WEB_FORM if dice.random() < 0.7 else ConsentRecord.Source.PAPER
        wanted = [
            p for p, share in (("marketing", 0.82), ("transactional", 0.96), ("reminder", 0.9)) if dice.random() < share
        ]
        agreements += [_agreement(contact, purpose, source) for purpose in wanted]
    record_opt_ins(agreements, actor_id=owner.id)
    return {agreement.number for agreement in agreements if agreement.purpose == "marketing"}


def _agreement(contact: Contact, purpose: str, source: str) -> OptIn:
    on_the_web = source == ConsentRecord.Source.WEB_FORM
    return OptIn(
        number=contact.number,
        purpose=purpose,
        source=source,
        wording=_WEB_WORDING if purpose == "marketing" else "Texts about my visits and bookings.",
        evidence={"page": "https://harbor.example/join"} if on_the_web else {"form": "New patient form, page 2"},
        occurred_at=contact.created_at,
    )


def _join_the_readers(contacts: Sequence[Contact], owner: User) -> None:
    """Three of four put their number on the card at the till."""
    dice = random.Random(13)  # noqa: S311
    agreements = [
        OptIn(
            number=contact.number,
            purpose="marketing",
            source=ConsentRecord.Source.PAPER,
            wording=_BOOKSHOP_WORDING,
            evidence={"form": "Card at the till"},
            occurred_at=contact.created_at,
        )
        for contact in contacts
        if dice.random() < 0.75
    ]
    record_opt_ins(agreements, actor_id=owner.id)


def _history(contacts: Sequence[Contact], agreed: Collection[str], sender: Sender, owner: User) -> None:
    dice = random.Random(9)  # noqa: S311
    now = timezone.now()
    willing = [contact for contact in contacts if contact.number in agreed]
    stopped: dict[str, datetime] = {}
    for days_ago, name, body in _CAMPAIGNS:
        at = _on_the_day(now, days_ago, hour=15)
        audience = dice.sample(contacts, 260)
        reached = [contact for contact in audience if contact.number in agreed and contact.number not in stopped]
        past_campaign(
            name=name,
            body=body,
            at=at,
            audience=audience,
            agreed=agreed,
            stopped=set(stopped),
            sender=sender,
            owner_id=owner.id,
        )
        for contact in dice.sample(reached, dice.randint(2, 5)):
            stopped[contact.number] = at + timedelta(minutes=dice.uniform(5, 600))
            past_stop(contact=contact, at=stopped[contact.number], sender=sender)
    for days_ago in range(30, 0, -1):
        day = _on_the_day(now, days_ago, hour=13)
        texted = [contact for contact in contacts if stopped.get(contact.number, now) > day + _WORKING_DAY]
        if day.weekday() < 6:
            past_bookings(day=day, contacts=dice.sample(texted, dice.randint(10, 28)), sender=sender)
    replies = [
        (contact, dice.choice(_REPLIES), now - timedelta(hours=dice.uniform(0.3, 24 * 26)))
        for contact in dice.sample([contact for contact in willing if contact.number not in stopped], 40)
    ]
    replies.sort(key=lambda reply: reply[2])
    past_replies(replies=replies, sender=sender, unread_since=now - timedelta(hours=30))
    show_on_phones(sender, limit=30)


def _on_the_day(now: datetime, days_ago: int, *, hour: int) -> datetime:
    return (now - timedelta(days=days_ago)).replace(hour=hour, minute=0, second=0, microsecond=0)
