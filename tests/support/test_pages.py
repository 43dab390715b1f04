"""The inbox: who may see and do what, what a thread shows, and what wrong input gets."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentRecord
from consent.services import is_suppressed, opt_out
from contacts.folding import fold
from contacts.models import Contact
from messaging.models import InboundMessage, Message
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from support.models import Conversation
from support.services import note_inbound
from tenants.models import User
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

HOSTILE = "<script>alert(1)</script>\"'{{ x }}"
ANN, BEN = "+12025550101", "+12025550102"
HTMX = {"HX-Request": "true"}


def writes(
    company: Company, body: str, *, number: str = ANN, intent: str = "other", certain: bool = True
) -> Conversation:
    """A person's text reaches the inbox."""
    with tenant_scope(company.tenant.id):
        inbound = InboundMessage.objects.create(
            provider_account=company.account,
            provider_message_id=uuid4().hex,
            sender=company.sender,
            number=number,
            body=body,
            intent=intent,
            certain=certain,
            contact=Contact.objects.filter(number=number).first(),
        )
        return note_inbound(inbound=inbound)


def reload(company: Company, conversation: Conversation) -> Conversation:
    with tenant_scope(company.tenant.id):
        return Conversation.objects.get(id=conversation.id)


def numbers_in(response: Any) -> set[str]:
    return {row.number for row in response.context["conversations"]}


@pytest.fixture
def ann(cast: Cast) -> Conversation:
    """Ann, a contact who agreed to offers, asks the clinic something."""
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.create(number=ANN, first_name="Ann", last_name="Lee", first_key="ann", last_key="lee")
        record_opt_ins([OptIn(ANN, "marketing", "web_form")], actor_id=None)
    return writes(cast.clinic, "Is parking free?")


@pytest.fixture
def bob(client: Client, cast: Cast) -> Client:
    """The clinic's agent, signed in."""
    sign_in(client, cast.bob, cast.clinic.tenant)
    return client


# --- Who may see and do what --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", "mona", "bob", "vera"])
def test_every_member_may_read(client: Client, cast: Cast, ann: Conversation, name: str) -> None:
    user: User = getattr(cast, name)
    sign_in(client, user, cast.clinic.tenant)
    assert "Ann Lee" in text_of(client.get(reverse("inbox")))
    thread = client.get(reverse("conversation", args=[ann.id]))
    assert thread.status_code == 200
    assert "Is parking free?" in text_of(thread)
    assert ("Write a reply" in text_of(thread)) is (name != "vera")


@pytest.mark.parametrize(
    ("page", "typed"),
    [
        ("conversation_reply", {"body": "Yes"}),
        ("conversation_close", {}),
        ("conversation_review", {"decision": "opt_out"}),
        ("conversation_open", {"number": BEN}),
    ],
)
def test_a_viewer_changes_nothing(
    client: Client, cast: Cast, ann: Conversation, page: str, typed: dict[str, str]
) -> None:
    sign_in(client, cast.vera, cast.clinic.tenant)
    url = reverse(page) if page == "conversation_open" else reverse(page, args=[ann.id])
    assert client.post(url, typed).status_code == 403
    with tenant_scope(cast.clinic.tenant.id):
        assert not Message.objects.exists()
        assert not is_suppressed(number=ANN)
        assert Conversation.objects.count() == 1


@pytest.mark.parametrize("name", ["conversation", "conversation_reply", "conversation_close", "conversation_review"])
def test_another_tenants_conversation_does_not_exist(client: Client, cast: Cast, ann: Conversation, name: str) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    send = client.get if name == "conversation" else client.post
    for conversation_id in (ann.id, uuid4()):
        assert send(reverse(name, args=[conversation_id]), {"body": "Hi"}).status_code == 404
    assert numbers_in(client.get(reverse("inbox"), {"q": "Ann"})) == set()


def test_signed_out_leads_to_the_login(client: Client, db: None) -> None:
    for url in (reverse("inbox"), reverse("conversation", args=[uuid4()])):
        response = client.get(url)
        assert response["Location"] == f"{reverse('account_login')}?next={quote(url, safe='')}"
        poll = client.get(url, {"part": "list"}, headers=HTMX)
        assert poll.headers["HX-Redirect"].startswith(reverse("account_login"))


# --- The list -----------------------------------------------------------------------------------------------------


def test_an_empty_inbox_says_how_it_fills(bob: Client) -> None:
    page = text_of(bob.get(reverse("inbox")))
    assert "Replies to your texts arrive here." in page
    assert "Write to somebody" in page


def test_the_filters_and_the_search(bob: Client, cast: Cast, ann: Conversation) -> None:
    writes(cast.clinic, "please stop texting me", number=BEN, intent="opt_out", certain=False)
    closed = writes(cast.clinic, "Bye", number="+12025550103")
    read = writes(cast.clinic, "Hello", number="+12025550104")
    with tenant_scope(cast.clinic.tenant.id):
        Conversation.objects.filter(id=closed.id).update(closed_at=timezone.now(), unread_count=0)
        Conversation.objects.filter(id=read.id).update(unread_count=0)

    def shown(**query: str) -> set[str]:
        return {number[-2:] for number in numbers_in(bob.get(reverse("inbox"), query))}

    assert shown() == {"01", "02", "04"}
    assert shown(show="unread") == {"01", "02"}
    assert shown(show="review") == {"02"}
    assert shown(show="closed") == {"03"}
    assert shown(show="x", rows="x") == {"01", "02", "04"}
    assert shown(q="an") == {"01"}
    assert shown(q="ann lee") == {"01"}
    assert shown(q="555-0102") == {"02"}
    assert shown(q="\x00") == {"01", "02", "04"}
    assert shown(q="nobody") == set()


def test_the_one_being_read_stays_in_the_unread_list(bob: Client, cast: Cast, ann: Conversation) -> None:
    page = bob.get(reverse("conversation", args=[ann.id]), {"show": "unread"})
    assert numbers_in(page) == {ANN}
    assert numbers_in(bob.get(reverse("inbox"), {"show": "unread"})) == set()


def test_older_conversations_can_be_reached(bob: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Conversation.objects.bulk_create(
            [
                Conversation(number=f"+1202555{n:04d}", last_at=timezone.now() - timedelta(minutes=n))
                for n in range(100, 152)
            ]
        )
    first = bob.get(reverse("inbox"))
    assert len(numbers_in(first)) == 50
    assert "rows=100" in text_of(first)
    more = bob.get(reverse("inbox"), {"rows": "100"})
    assert len(numbers_in(more)) == 52
    assert "Show older ones" not in text_of(more)


def test_polling_answers_only_the_part(bob: Client, ann: Conversation) -> None:
    listed = text_of(bob.get(reverse("inbox"), {"part": "list"}, headers=HTMX))
    assert "conversation-rows" in listed
    thread = text_of(bob.get(reverse("conversation", args=[ann.id]), {"part": "thread"}, headers=HTMX))
    assert "Is parking free?" in thread
    # The reply box is no part of the answer: what is being typed stays.
    for part in (listed, thread):
        assert "<html" not in part
        assert "<form" not in part
        assert "<textarea" not in part


# --- The thread ---------------------------------------------------------------------------------------------------


def test_reading_marks_as_read_but_only_by_those_who_can_answer(client: Client, cast: Cast, ann: Conversation) -> None:
    sign_in(client, cast.vera, cast.clinic.tenant)
    client.get(reverse("conversation", args=[ann.id]))
    assert reload(cast.clinic, ann).unread_count == 1
    sign_in(client, cast.bob, cast.clinic.tenant)
    client.get(reverse("conversation", args=[ann.id]), {"part": "thread"}, headers=HTMX)
    assert reload(cast.clinic, ann).unread_count == 0


def test_what_was_kept_back_shows_why(bob: Client, cast: Cast, ann: Conversation) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=ANN, source="reply", wording="STOP")
    page = text_of(bob.post(reverse("conversation_reply", args=[ann.id]), {"body": "Yes, it is"}, follow=True))
    assert "This text was not sent." in page
    assert "Yes, it is" in page
    assert "Opted out of all texts" in page
    assert 'data-may-text="no"' in page


@pytest.mark.parametrize(
    ("status", "error_code", "reason"),
    [
        ("undelivered", "30003", "The phone was switched off or out of reach"),
        ("undelivered", "30005", "This number cannot get texts"),
        ("undelivered", "", "The phone network could not deliver it"),
        ("failed", "21610", "Opted out at the phone network"),
        ("failed", "99999", "The provider refused it"),
        ("unconfirmed", "", "Nobody told us whether it arrived"),
    ],
)
def test_what_did_not_arrive_shows_why(
    bob: Client, cast: Cast, ann: Conversation, status: str, error_code: str, reason: str
) -> None:
    bob.post(reverse("conversation_reply", args=[ann.id]), {"body": "Yes"})
    with tenant_scope(cast.clinic.tenant.id):
        Message.objects.update(status=status, error_code=error_code)
    assert reason in text_of(bob.get(reverse("conversation", args=[ann.id])))


def test_each_text_shows_the_decision_that_is_stored_with_it(bob: Client, cast: Cast, ann: Conversation) -> None:
    bob.post(reverse("conversation_reply", args=[ann.id]), {"body": "Yes"})
    with tenant_scope(cast.clinic.tenant.id):
        message = Message.objects.get(body="Yes")
    page = bob.get(reverse("conversation", args=[ann.id])).content.decode()
    assert f'id="decision-{message.id}-{message.status}" hx-preserve' in page, (
        "it stays open while the thread is read again"
    )
    assert "Allowed: they wrote to you first" in page
    with tenant_scope(cast.clinic.tenant.id):
        Message.objects.update(decision={})
    assert "event-decision" not in bob.get(reverse("conversation", args=[ann.id])).content.decode()


def test_what_arrived_needs_no_reason(bob: Client, cast: Cast, ann: Conversation) -> None:
    bob.post(reverse("conversation_reply", args=[ann.id]), {"body": "Yes"})
    with tenant_scope(cast.clinic.tenant.id):
        Message.objects.update(status="delivered", error_code="30003")
    page = text_of(bob.get(reverse("conversation", args=[ann.id])))
    assert "Delivered" in page
    assert "switched off" not in page


def test_long_threads_show_the_newest_and_lead_to_the_rest(bob: Client, cast: Cast, ann: Conversation) -> None:
    for n in range(85):
        writes(cast.clinic, f"Text {n}.")
    url = reverse("conversation", args=[ann.id])
    page = text_of(bob.get(url))
    assert "Text 84." in page
    assert "Text 3." not in page
    assert "texts=320" in page
    assert "Text 3." in text_of(bob.get(url, {"texts": "320"}))
    for odd in ("-1", "x", "²", "9" * 30):
        assert bob.get(url, {"texts": odd}).status_code == 200


def test_words_of_people_are_shown_as_written_never_run(bob: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.create(number=ANN, first_name=HOSTILE, first_key=fold(HOSTILE), email=HOSTILE)
    conversation = writes(cast.clinic, HOSTILE)
    for response in (
        bob.get(reverse("inbox")),
        bob.get(reverse("inbox"), {"q": HOSTILE}),
        bob.get(reverse("conversation", args=[conversation.id])),
        bob.get(reverse("conversation", args=[conversation.id]), {"part": "thread"}, headers=HTMX),
        bob.post(reverse("conversation_reply", args=[conversation.id]), {"body": HOSTILE + "x" * 1600}),
        bob.post(reverse("conversation_open"), {"number": HOSTILE}),
    ):
        assert "<script>alert" not in response.content.decode()
        assert HOSTILE in text_of(response)


# --- Replying -----------------------------------------------------------------------------------------------------


def test_a_reply_goes_out_and_stands_in_the_thread(bob: Client, cast: Cast, ann: Conversation) -> None:
    response = bob.post(reverse("conversation_reply", args=[ann.id]), {"body": " Yes, it is. "})
    assert response["Location"] == reverse("conversation", args=[ann.id])
    with tenant_scope(cast.clinic.tenant.id):
        message = Message.objects.get()
    assert (message.number, message.body, message.status) == (ANN, "Yes, it is.", "queued")
    assert message.written_by_id == cast.bob.id
    page = text_of(bob.get(response["Location"]))
    assert "Yes, it is." in page
    assert "Bob" in page


def test_a_reply_that_is_sent_twice_is_one_text(bob: Client, cast: Cast, ann: Conversation) -> None:
    """A double click or a reload: the form brings the id of the message along."""
    url = reverse("conversation_reply", args=[ann.id])
    once = bob.get(reverse("conversation", args=[ann.id])).context["form"]["once"].value()
    for _ in range(2):
        assert bob.post(url, {"body": "Yes, it is", "once": once}).status_code == 302
    bob.post(url, {"body": "Yes, it is", "once": uuid4()})
    with tenant_scope(cast.clinic.tenant.id):
        assert Message.objects.filter(written_by__isnull=False).count() == 2


def test_another_persons_message_id_takes_nothing_from_them(bob: Client, cast: Cast, ann: Conversation) -> None:
    with tenant_scope(cast.shop.tenant.id):
        _, (foreign,) = enqueue([Draft("+12025550150", "Hello")], Cause("reply", "conversation", "support"))
    answer = bob.post(reverse("conversation_reply", args=[ann.id]), {"body": "Yes", "once": foreign})
    assert answer.status_code == 422
    assert "send it once more" in text_of(answer)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "This field is required."),
        ("   ", "This field is required."),
        ("x" * 1601, "Ensure this value has at most 1600 characters (it has 1601)."),
        ("a\x00b", "Null characters are not allowed."),
        ("Hi {{ first_name }}", "A reply goes out as it is written"),
    ],
    ids=["empty", "blank", "long", "nul", "tag"],
)
def test_a_reply_that_cannot_be_sent_stays_in_the_box(
    bob: Client, cast: Cast, ann: Conversation, body: str, problem: str
) -> None:
    response = bob.post(reverse("conversation_reply", args=[ann.id]), {"body": body})
    assert response.status_code == 422
    page = text_of(response)
    assert problem in page
    assert body in page
    with tenant_scope(cast.clinic.tenant.id):
        assert not Message.objects.exists()


def test_a_conversation_starts_with_a_number(bob: Client, cast: Cast, ann: Conversation) -> None:
    response = bob.post(reverse("conversation_open"), {"number": "(202) 555-0102"})
    with tenant_scope(cast.clinic.tenant.id):
        started = Conversation.objects.get(number=BEN)
    assert response["Location"] == reverse("conversation", args=[started.id])
    page = text_of(bob.get(response["Location"]))
    assert "You cannot text this person now." in page
    assert "Has not agreed to this kind of text." in page
    again = bob.post(reverse("conversation_open"), {"number": BEN})
    assert again["Location"] == response["Location"]


@pytest.mark.parametrize("number", ["", "12", "no number", "+1 202 555", "9" * 41])
def test_a_wrong_number_stays_in_the_dialog(bob: Client, cast: Cast, number: str) -> None:
    response = bob.post(reverse("conversation_open"), {"number": number})
    assert response.status_code == 422
    assert response.context["new_form"].errors["number"]
    assert f'value="{number}"' in text_of(response) or not number
    with tenant_scope(cast.clinic.tenant.id):
        assert not Conversation.objects.exists()


# --- A text that may have been an opt-out -------------------------------------------------------------------------


@pytest.fixture
def doubtful(cast: Cast, ann: Conversation) -> Conversation:
    return writes(cast.clinic, "please stop texting me", intent="opt_out", certain=False)


def test_a_doubtful_text_is_pointed_out(bob: Client, doubtful: Conversation) -> None:
    page = text_of(bob.get(reverse("conversation", args=[doubtful.id])))
    assert "May be an opt-out" in page
    assert 'data-review="yes"' in page
    assert "Check" in text_of(bob.get(reverse("inbox")))


def test_the_opt_out_is_recorded_with_the_words(bob: Client, cast: Cast, doubtful: Conversation) -> None:
    bob.post(reverse("conversation_review", args=[doubtful.id]), {"decision": "opt_out"})
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=ANN)
        record = ConsentRecord.objects.get(act="opt_out")
    assert (record.source, record.wording, record.actor_id) == ("staff", "please stop texting me", cast.bob.id)
    assert reload(cast.clinic, doubtful).needs_review is False
    assert 'data-may-text="no"' in text_of(bob.get(reverse("conversation", args=[doubtful.id])))


def test_it_works_for_a_number_that_is_no_contact(bob: Client, cast: Cast) -> None:
    doubtful = writes(cast.clinic, "please stop texting me", number=BEN, intent="opt_out", certain=False)
    bob.post(reverse("conversation_review", args=[doubtful.id]), {"decision": "opt_out"})
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=BEN)


def test_it_may_be_kept_as_an_ordinary_text(bob: Client, cast: Cast, doubtful: Conversation) -> None:
    bob.post(reverse("conversation_review", args=[doubtful.id]), {"decision": "keep"})
    with tenant_scope(cast.clinic.tenant.id):
        assert not is_suppressed(number=ANN)
    assert reload(cast.clinic, doubtful).needs_review is False


@pytest.mark.parametrize("data", [{}, {"decision": ""}, {"decision": "x"}, {"decision": "OPT_OUT"}])
def test_without_a_decision_the_question_stays_open(
    bob: Client, cast: Cast, doubtful: Conversation, data: dict[str, str]
) -> None:
    answer = bob.post(reverse("conversation_review", args=[doubtful.id]), data)
    assert answer.status_code == 422
    assert "Choose whether the text was an opt-out or an ordinary text." in text_of(answer)
    with tenant_scope(cast.clinic.tenant.id):
        assert not is_suppressed(number=ANN)
    assert reload(cast.clinic, doubtful).needs_review is True


# --- Closing ------------------------------------------------------------------------------------------------------


def test_closing_and_taking_up_again(bob: Client, cast: Cast, ann: Conversation) -> None:
    url = reverse("conversation_close", args=[ann.id])
    assert bob.post(url)["Location"] == reverse("inbox")
    assert reload(cast.clinic, ann).closed_at is not None
    assert "Reopen" in text_of(bob.get(reverse("conversation", args=[ann.id])))
    bob.post(url, {"reopen": "1"})
    assert reload(cast.clinic, ann).closed_at is None
    bob.post(url)
    writes(cast.clinic, "One more thing")
    assert reload(cast.clinic, ann).closed_at is None


def test_acting_needs_a_post(bob: Client, ann: Conversation) -> None:
    assert bob.get(reverse("conversation_close", args=[ann.id])).status_code == 405


@pytest.mark.parametrize("name", ["conversation_reply", "conversation_review", "conversation_open"])
def test_a_form_that_came_back_can_be_loaded_again(bob: Client, ann: Conversation, name: str) -> None:
    """After an error its address stands in the browser."""
    page, parts = ("inbox", []) if name == "conversation_open" else ("conversation", [ann.id])
    assert bob.get(reverse(name, args=parts)).headers["Location"] == reverse(page, args=parts)


# --- The person ---------------------------------------------------------------------------------------------------


def test_the_person_stands_beside_the_thread(bob: Client, ann: Conversation) -> None:
    page = text_of(bob.get(reverse("conversation", args=[ann.id])))
    assert "Offers and news" in page
    assert "Web form" in page
    assert "May be texted: the person wrote to you" in page
    with_contact = reverse("contact", args=[ann.contact_id])
    assert with_contact in page


def test_offers_wait_while_a_text_may_be_an_opt_out(bob: Client, cast: Cast, ann: Conversation) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Conversation.objects.filter(id=ann.id).update(needs_review=True)
    page = text_of(bob.get(reverse("conversation", args=[ann.id])))
    assert "Offers wait until it is decided" in page
    assert "May be texted" not in page


@pytest.mark.parametrize("part", ["", "?part=thread"])
def test_who_never_agreed_can_be_given_an_opt_in(bob: Client, cast: Cast, part: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        contact = Contact.objects.create(number=BEN, first_name="Ben")
    bob.post(reverse("conversation_open"), {"number": BEN})
    with tenant_scope(cast.clinic.tenant.id):
        found = Conversation.objects.get(number=BEN)
    headers = {"HX-Request": "true"} if part else {}
    page = text_of(bob.get(reverse("conversation", args=[found.id]) + part, headers=headers))
    assert "You cannot text this person now" in page
    opt_in_url = reverse("contact_opt_in", args=[contact.id]) + "?purpose=support"
    assert opt_in_url in page
    assert '<option value="support" selected>' in text_of(bob.get(opt_in_url))


def test_a_viewer_is_told_that_reading_marks_nothing(client: Client, cast: Cast, ann: Conversation) -> None:
    viewer = sign_in(client, cast.vera, cast.clinic.tenant)
    assert "For the others it stays unread" in text_of(viewer.get(reverse("inbox")))


def test_an_unknown_number_can_become_a_contact(bob: Client, cast: Cast) -> None:
    stranger = writes(cast.clinic, "Hello?", number=BEN)
    page = text_of(bob.get(reverse("conversation", args=[stranger.id])))
    assert "This number is not in your contacts." in page
    assert reverse("contact_add") in page
