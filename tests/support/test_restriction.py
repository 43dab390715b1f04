"""An agent who sees only assigned conversations: every page shows them these and nothing of anybody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.urls.converters import IntConverter, UUIDConverter

from campaigns.models import Campaign
from contacts.models import Contact
from contacts.services import add_note
from messaging.handling import handle_inbound
from messaging.models import InboundMessage
from messaging.providers.base import InboundText
from messaging.services import receive
from support.models import Conversation
from support.services import assign
from tenants.models import AuditEntry, Membership
from tenants.permissions import Role
from tenants.restriction import restricting
from tenants.scope import tenant_scope
from tenants.services import change_role, remove_member
from tests.architecture.forms import member_routes
from tests.cast import Cast
from tests.web import sign_in, text_of

MINE, THEIRS = "+12025550101", "+12025550102"
CANARIES = ("Zebedee", "(202) 555-0102", "+12025550102", "Secret words")
"""Of the person whose conversation is not assigned: no page may show them."""


def write(cast: Cast, number: str, body: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        text = InboundText(
            provider_message_id=f"SIM{uuid4().hex}", sender=cast.clinic.sender.value, number=number, body=body
        )
        inbound = receive(cast.clinic.account, text)
        assert isinstance(inbound, InboundMessage)
        handle_inbound(cast.clinic.tenant.id, inbound.id)


@pytest.fixture
def two(cast: Cast) -> tuple[Conversation, Conversation]:
    """Bob is restricted; of two conversations the first is his."""
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.create(number=MINE, first_name="Minnie", first_key="minnie")
        theirs = Contact.objects.create(number=THEIRS, first_name="Zebedee", first_key="zebedee")
        add_note(contact=theirs, body="Secret words in a note", author_id=cast.alice.id)
        Campaign.objects.create(name="Secret words campaign", body="Hello")
        bob = Membership.objects.get(user=cast.bob)
        change_role(membership=bob, role=Role.AGENT, only_assigned=True)
    write(cast, MINE, "Good morning")
    write(cast, THEIRS, "Secret words")
    with tenant_scope(cast.clinic.tenant.id):
        mine, other = Conversation.objects.get(number=MINE), Conversation.objects.get(number=THEIRS)
        assign(conversation=mine, member=bob)
        mine.refresh_from_db()
    return mine, other


@pytest.fixture
def bob(client: Client, cast: Cast, two: object) -> Client:
    return sign_in(client, cast.bob, cast.clinic.tenant)


CHOICES = {"action": "pause", "purpose": "reminder"}
"""A part of an address that is one of a few words."""


def parts_of(converters: dict[str, Any], **known: object) -> dict[str, object]:
    """The parts of an address: of the rows named here where they fit, else of nothing."""

    def part(name: str, converter: object) -> object:
        if name in known:
            return known[name]
        if name in CHOICES:
            return CHOICES[name]
        return uuid4() if isinstance(converter, UUIDConverter) else 1 if isinstance(converter, IntConverter) else "x"

    return {name: part(name, converter) for name, converter in converters.items()}


def is_closed(name: str) -> bool:
    """Whether the view at an address is closed to restricted members: unless it says otherwise."""
    from django.urls import resolve

    converters = member_routes()[name]
    view: Any = resolve(reverse(name, kwargs=parts_of(converters))).func
    return not view.restricted_too


ROUTES = member_routes()
FOREIGN = {"conversation_id", "contact_id"}


@pytest.mark.parametrize("name", ROUTES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_address_shows_or_changes_another_conversation(
    bob: Client, cast: Cast, two: tuple[Conversation, Conversation], name: str, method: str
) -> None:
    """With the ids of what is not his: closed to him, not found, or a page without a trace of it."""
    _, other = two
    with tenant_scope(cast.clinic.tenant.id):
        person = Contact.objects.get(number=THEIRS)
    converters = ROUTES[name]
    parts = parts_of(converters, conversation_id=other.id, contact_id=person.id)
    address = reverse(name, kwargs=parts)
    query = {"q": "Zebedee", "show": "open", "number": THEIRS, "body": "x", "member": "", "decision": "keep"}
    answer: Any = getattr(bob, method)(address, query, follow=True)
    # What was typed comes back on some pages; so only what he did not type counts.
    page = text_of(answer).replace("q=Zebedee", "").replace('value="Zebedee"', "")
    assert answer.status_code < 500
    if answer.status_code == 405:
        return
    if is_closed(name):
        assert answer.status_code == 403, name
    elif FOREIGN & converters.keys():
        assert answer.status_code == 404, name
    for canary in CANARIES:
        if canary not in query.values():
            assert canary not in page, (name, canary)
    with tenant_scope(cast.clinic.tenant.id):
        other.refresh_from_db()
        assert (other.unread_count, other.assigned_to_id, other.closed_at) == (1, None, None)


def test_his_own_conversation_is_all_there(bob: Client, cast: Cast, two: tuple[Conversation, Conversation]) -> None:
    mine, _ = two
    pages = {
        "inbox": bob.get(reverse("inbox")),
        "conversation": bob.get(reverse("conversation", args=[mine.id])),
        "contacts": bob.get(reverse("contacts")),
        "search": bob.get(reverse("contacts"), {"q": "min"}),
        "home": bob.get(reverse("home")),
    }
    with tenant_scope(cast.clinic.tenant.id):
        minnie = Contact.objects.get(number=MINE)
    pages["contact"] = bob.get(reverse("contact", args=[minnie.id]))
    assert {name: page.status_code for name, page in pages.items()} == dict.fromkeys(pages, 200)
    for name, page in pages.items():
        assert "Minnie" in text_of(page) or name == "home"
        assert "Zebedee" not in text_of(page)
    bob.post(reverse("conversation_reply", args=[mine.id]), {"body": "Good morning to you"})
    assert "Good morning to you" in text_of(bob.get(reverse("conversation", args=[mine.id])))


def test_counts_are_of_his_own(bob: Client, cast: Cast, two: tuple[Conversation, Conversation]) -> None:
    def badge(client: Client) -> str:
        entries = client.get(reverse("templates")).context["navigation"]
        return next(str(entry.badge) for entry in entries if entry.label == "Inbox")

    assert badge(bob) == "1"
    alice = sign_in(Client(), cast.alice, cast.clinic.tenant)
    assert badge(alice) == "2"
    assert "ampaign" not in text_of(bob.get(reverse("home")))
    assert bob.get(reverse("contacts")).context["count"] == 1


def test_the_navigation_leads_to_no_closed_page(bob: Client) -> None:
    entries = bob.get(reverse("home")).context["navigation"]
    for entry in [*entries, *(child for group in entries for child in group.children)]:
        assert bob.get(entry.url).status_code == 200, entry.label


def test_taking_it_away_holds_at_once(bob: Client, cast: Cast, two: tuple[Conversation, Conversation]) -> None:
    mine, _ = two
    with tenant_scope(cast.clinic.tenant.id):
        assign(conversation=mine, member=None)
    assert bob.get(reverse("conversation", args=[mine.id])).status_code == 404
    assert "Minnie" not in text_of(bob.get(reverse("contacts")))


def test_without_the_restriction_he_sees_everything(bob: Client, cast: Cast) -> None:
    """The counter-proof: it is the restriction that keeps the canaries away."""
    with tenant_scope(cast.clinic.tenant.id):
        change_role(membership=Membership.objects.get(user=cast.bob), role=Role.AGENT)
    again = sign_in(Client(), cast.bob, cast.clinic.tenant)
    assert "Zebedee" in text_of(again.get(reverse("contacts")))
    assert "Zebedee" in text_of(again.get(reverse("inbox")))


@contextmanager
def as_restricted(cast: Cast) -> Iterator[None]:
    with tenant_scope(cast.clinic.tenant.id):
        bob = Membership.objects.get(user=cast.bob)
        with restricting(bob.id):
            yield


def test_a_query_that_forgot_the_restriction_finds_nothing(cast: Cast, two: tuple[Conversation, Conversation]) -> None:
    with as_restricted(cast):
        assert [row.number for row in Conversation.objects.all()] == [MINE]
        assert [row.number for row in Contact.objects.all()] == [MINE]
        assert [row.number for row in Contact.with_erased.all()] == [MINE]
        assert Conversation.objects.filter(number=THEIRS).update(unread_count=0) == 0
        assert Contact.objects.filter(number=THEIRS).delete()[0] == 0


# --- Assigning ------------------------------------------------------------------------------------------------------


def test_assigning_and_its_filters(client: Client, cast: Cast, two: tuple[Conversation, Conversation]) -> None:
    _, other = two
    sign_in(client, cast.alice, cast.clinic.tenant)

    def listed(whose: str) -> set[str]:
        return {row.number for row in client.get(reverse("inbox"), {"whose": whose}).context["conversations"]}

    with tenant_scope(cast.clinic.tenant.id):
        alice = Membership.objects.get(user=cast.alice)
        bob = Membership.objects.get(user=cast.bob)
    assert (listed(""), listed("mine"), listed("unassigned")) == ({MINE, THEIRS}, set(), {THEIRS})
    client.post(reverse("conversation_assign", args=[other.id]), {"member": str(alice.id)})
    assert (listed("mine"), listed("unassigned"), listed("nonsense")) == ({THEIRS}, set(), {MINE, THEIRS})
    client.post(reverse("conversation_assign", args=[other.id]), {"member": ""})
    assert listed("unassigned") == {THEIRS}
    with tenant_scope(cast.clinic.tenant.id):
        entries = list(AuditEntry.objects.filter(action="conversation.assigned").order_by("id"))
        assert [entry.after for entry in entries][-2:] == [
            {"assigned_to": "alice@clinic.example"},
            {"assigned_to": None},
        ]
        remove_member(membership=bob)
    assert listed("unassigned") == {MINE, THEIRS}, "whoever has gone takes care of nothing"


@pytest.mark.parametrize("who", ["vera", "charlie", "nobody", "nonsense"])
def test_it_cannot_be_assigned_to(client: Client, cast: Cast, two: tuple[Conversation, Conversation], who: str) -> None:
    _, other = two
    company = cast.shop if who == "charlie" else cast.clinic
    member = str(uuid4()) if who == "nobody" else "\x00x"
    if who in ("vera", "charlie"):
        with tenant_scope(company.tenant.id):
            member = str(Membership.objects.get(user=getattr(cast, who)).id)
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer = client.post(reverse("conversation_assign", args=[other.id]), {"member": member})
    assert answer.status_code == 422
    with tenant_scope(cast.clinic.tenant.id):
        other.refresh_from_db()
        assert other.assigned_to_id is None


def test_handing_on_his_own_takes_it_from_his_sight(
    bob: Client, cast: Cast, two: tuple[Conversation, Conversation]
) -> None:
    mine, _ = two
    with tenant_scope(cast.clinic.tenant.id):
        mona = Membership.objects.get(user=cast.mona)
    answer = bob.post(reverse("conversation_assign", args=[mine.id]), {"member": str(mona.id)})
    assert answer.headers["Location"] == reverse("inbox")
    assert bob.get(reverse("conversation", args=[mine.id])).status_code == 404
