"""Texts that may ask to stop, one after the other: the longest waiting first, one decision each."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import ConsentRecord, PossibleOptOut, Suppression
from consent.services import is_suppressed
from messaging.providers.base import InboundText
from messaging.services import receive
from support.models import Conversation
from support.services import note_inbound
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

ANN, BEN = "+12025550101", "+12025550102"
QUEUE = "/inbox/review/"


def writes(company: Company, number: str, body: str, *, minutes_ago: int = 0) -> Conversation:
    """A person texts, as the provider tells it."""
    with tenant_scope(company.tenant.id):
        inbound = receive(company.account, InboundText(f"SIM{number}", company.sender.value, number, body))
        assert inbound is not None
        inbound.received_at = timezone.now() - timedelta(minutes=minutes_ago)
        return note_inbound(inbound=inbound)


@pytest.fixture
def two(cast: Cast) -> tuple[Conversation, Conversation]:
    """Ben wrote an hour before Ann; neither says clearly what they want."""
    ann = writes(cast.clinic, ANN, "I did not sign up for this", minutes_ago=1)
    return ann, writes(cast.clinic, BEN, "who is this? not interested", minutes_ago=60)


@pytest.fixture
def bob(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.bob, cast.clinic.tenant)


def decide(client: Client, conversation: Conversation, decision: str) -> str:
    data = {"decision": decision, "then": "queue"}
    return text_of(client.post(reverse("conversation_review", args=[conversation.id]), data, follow=True))


def test_both_are_in_doubt(cast: Cast, two: object) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        assert PossibleOptOut.objects.filter(settled_at=None).count() == 2


def test_the_longest_waiting_comes_first_and_the_next_follows(bob: Client, two: object) -> None:
    ann, ben = two  # type: ignore[misc]
    page = text_of(bob.get(QUEUE))
    assert "not interested" in page
    assert "I did not sign up for this" not in page
    assert "2 wait." in page
    assert "I did not sign up for this" in decide(bob, ben, "keep")
    page = decide(bob, ann, "keep")
    assert "Nothing to decide" in page


def test_later_shows_the_next_and_after_the_last_the_first(bob: Client, two: tuple[Conversation, Conversation]) -> None:
    ann, ben = two
    assert "I did not sign up for this" in text_of(bob.get(QUEUE, {"after": ben.id}))
    assert "not interested" in text_of(bob.get(QUEUE, {"after": ann.id}))


@pytest.mark.parametrize("after", ["x", "", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_place_is_the_beginning(bob: Client, two: object, after: str) -> None:
    assert "not interested" in text_of(bob.get(QUEUE, {"after": after}))


@pytest.mark.parametrize(("decision", "reason"), [("opt_out", "opted_out"), ("wrong_number", "wrong_number")])
def test_a_decision_to_stop_holds_at_once_and_keeps_the_words(
    bob: Client, cast: Cast, two: tuple[Conversation, Conversation], decision: str, reason: str
) -> None:
    decide(bob, two[0], decision)
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=ANN)
        assert not is_suppressed(number=BEN)
        assert Suppression.objects.get().reason == reason
        record = ConsentRecord.objects.get(act="opt_out")
        assert (record.wording, record.evidence["decision"]) == ("I did not sign up for this", decision)
        assert not PossibleOptOut.objects.filter(number=ANN, settled_at=None).exists()
        assert AuditEntry.objects.get(action="conversation.judged").after == {"decision": decision}


def test_two_people_at_work_decide_once(bob: Client, cast: Cast, two: tuple[Conversation, Conversation]) -> None:
    """Whoever comes second records the same again, and is shown the next one."""
    decide(bob, two[1], "opt_out")
    assert "I did not sign up for this" in decide(bob, two[1], "opt_out")
    with tenant_scope(cast.clinic.tenant.id):
        assert Suppression.objects.count() == 1


def test_who_may_not_record_does_not_see_it(client: Client, cast: Cast, two: object) -> None:
    sign_in(client, cast.vera, cast.clinic.tenant)
    assert client.get(QUEUE).status_code == 403


def test_another_tenants_are_not_there(client: Client, cast: Cast, two: object) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert "Nothing to decide" in text_of(client.get(QUEUE))
