"""STOP, START and HELP act inside the transaction of the callback that brings them, with one answer each."""

from uuid import uuid4

import pytest

from consent import coming_back
from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentRecord, ConsentState
from consent.services import is_suppressed
from messaging.handling import handle_inbound
from messaging.models import InboundMessage, Message
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.providers.base import InboundText
from messaging.services import receive
from messaging.services.sending import why_or_why_not
from support.models import Conversation
from support.services import close, settle_review
from tenants.scope import tenant_scope
from tests.cast import Cast, Company

ANN = "+12025550101"


def text(
    company: Company, body: str, *, number: str = ANN, message_id: str = "", answered: bool = False
) -> InboundMessage | None:
    with tenant_scope(company.tenant.id):
        return receive(
            company.account,
            InboundText(
                provider_message_id=message_id or f"SIM{uuid4().hex}",
                sender=company.sender.value,
                number=number,
                body=body,
                already_answered=answered,
            ),
        )


def answers(company: Company) -> list[tuple[str, str]]:
    with tenant_scope(company.tenant.id):
        rows = Message.objects.filter(batch__cause_kind="auto_reply").order_by("created_at")
        return list(rows.values_list("batch__exemption", "body"))


def agree(company: Company) -> None:
    with tenant_scope(company.tenant.id):
        record_opt_ins([OptIn(ANN, "marketing", "web_form")], actor_id=None)


@pytest.mark.parametrize(
    "word", ["STOP", "stop", " Stop! ", "STOP 🛑", "ＳＴＯＰ", "unsubscribe", "Opt out", "arrêt", "BAJA", "end."]
)
def test_an_opt_out_holds_at_once(cast: Cast, word: str) -> None:
    agree(cast.clinic)
    text(cast.clinic, word)
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=ANN)
        record = ConsentRecord.objects.get(act="opt_out")
        assert (record.purpose, record.source, record.wording) == ("all", "reply", word)
        assert record.evidence["inbound"] == str(InboundMessage.objects.get().id)
    ((kind, body),) = answers(cast.clinic)
    assert kind == "opt_out_confirmation"
    assert "Harbor Clinic" in body


def test_a_second_stop_gets_no_second_answer(cast: Cast) -> None:
    text(cast.clinic, "STOP")
    text(cast.clinic, "STOP")
    assert [kind for kind, _ in answers(cast.clinic)] == ["opt_out_confirmation"]


def test_an_opt_out_of_one_tenant_is_none_of_the_others_business(cast: Cast) -> None:
    text(cast.clinic, "STOP")
    with tenant_scope(cast.shop.tenant.id):
        assert not is_suppressed(number=ANN)


def test_start_comes_back(cast: Cast) -> None:
    agree(cast.clinic)
    text(cast.clinic, "STOP")
    text(cast.clinic, "start")
    with tenant_scope(cast.clinic.tenant.id):
        assert not is_suppressed(number=ANN)
        assert ConsentState.objects.get(number=ANN, purpose="marketing").act == "opt_in"
    assert [kind for kind, _ in answers(cast.clinic)] == ["opt_out_confirmation", "opt_in_confirmation"]


def test_yes_is_an_answer_to_a_question_unless_the_person_is_opted_out(cast: Cast) -> None:
    text(cast.clinic, "Yes")
    assert answers(cast.clinic) == []
    text(cast.clinic, "STOP")
    text(cast.clinic, "YES")
    with tenant_scope(cast.clinic.tenant.id):
        assert not is_suppressed(number=ANN)


@pytest.mark.parametrize(
    ("word", "phrase"), [("HELP", "For help"), ("info", "For help"), ("AYUDA", "ayuda"), ("aide", "aide")]
)
def test_help_is_answered_in_the_words_language(cast: Cast, word: str, phrase: str) -> None:
    text(cast.clinic, word)
    ((kind, body),) = answers(cast.clinic)
    assert kind == "help_reply"
    assert phrase in body
    assert "STOP" in body or "ARRET" in body


def test_help_is_answered_to_somebody_who_opted_out_too(cast: Cast) -> None:
    text(cast.clinic, "STOP")
    text(cast.clinic, "HELP")
    assert [kind for kind, _ in answers(cast.clinic)] == ["opt_out_confirmation", "help_reply"]


def test_two_robots_do_not_talk_for_ever(cast: Cast) -> None:
    for _ in range(3):
        text(cast.clinic, "HELP")
    assert len(answers(cast.clinic)) == 1


def test_a_provider_that_answers_keywords_leaves_no_answer_to_us(cast: Cast) -> None:
    text(cast.clinic, "STOP", answered=True)
    assert answers(cast.clinic) == []
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=ANN)


@pytest.mark.parametrize(
    "body", ["can I stop by at 5?", "please cancel my appointment", "Liked “Reply STOP to opt out”", "yes!", ""]
)
def test_ordinary_texts_opt_nobody_out(cast: Cast, body: str) -> None:
    text(cast.clinic, body)
    with tenant_scope(cast.clinic.tenant.id):
        assert not is_suppressed(number=ANN)
    assert answers(cast.clinic) == []


def test_a_text_that_may_be_an_opt_out_is_shown_to_a_person(cast: Cast) -> None:
    inbound = text(cast.clinic, "how do I stop these texts?")
    assert inbound is not None
    handle_inbound(cast.clinic.tenant.id, inbound.id)
    with tenant_scope(cast.clinic.tenant.id):
        assert Conversation.objects.get(number=ANN).needs_review


def test_a_text_reaches_the_conversation_once(cast: Cast) -> None:
    inbound = text(cast.clinic, "Is it open on Saturday?")
    assert inbound is not None
    for _ in range(3):
        handle_inbound(cast.clinic.tenant.id, inbound.id)
    with tenant_scope(cast.clinic.tenant.id):
        conversation = Conversation.objects.get()
        assert (conversation.unread_count, conversation.preview) == (1, "Is it open on Saturday?")


def offers_to_ann(company: Company) -> str:
    """The rule that decides about an offer to Ann."""
    with tenant_scope(company.tenant.id):
        return str(why_or_why_not(tenant=company.tenant, number=ANN, purpose="marketing").as_json()["rule"])


@pytest.mark.parametrize("decided", ["opt-out", "no opt-out"])
def test_offers_wait_while_it_is_not_clear_whether_somebody_opted_out(cast: Cast, decided: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "marketing", "web_form")], actor_id=None)
    assert offers_to_ann(cast.clinic) == "all_rules_passed"
    inbound = text(cast.clinic, "how do I stop these texts?")
    assert inbound is not None
    assert text(cast.clinic, "how can I stop getting these?") is not None, "a second one is the same question"
    assert offers_to_ann(cast.clinic) == "no_stop_in_question"
    with tenant_scope(cast.clinic.tenant.id):
        reply = why_or_why_not(tenant=cast.clinic.tenant, number=ANN, purpose="support")
        assert reply.outcome == "allow", "staff may ask what was meant"
    handle_inbound(cast.clinic.tenant.id, inbound.id)
    with tenant_scope(cast.clinic.tenant.id):
        conversation = Conversation.objects.get()
        close(conversation=conversation)
        conversation.refresh_from_db()
        assert conversation.needs_review, "closing is no decision"
        settle_review(
            conversation=conversation, decision="opt_out" if decided == "opt-out" else "keep", user_id=cast.alice.id
        )
    expected = "number_is_not_suppressed" if decided == "opt-out" else "all_rules_passed"
    assert offers_to_ann(cast.clinic) == expected


def test_a_keyword_that_was_acted_on_needs_nobodys_attention(cast: Cast) -> None:
    inbound = text(cast.clinic, "STOP")
    assert inbound is not None
    handle_inbound(cast.clinic.tenant.id, inbound.id)
    with tenant_scope(cast.clinic.tenant.id):
        assert Conversation.objects.get().unread_count == 0


def test_the_same_provider_id_is_one_text(cast: Cast) -> None:
    assert text(cast.clinic, "STOP", message_id="SIM1") is not None
    assert text(cast.clinic, "STOP", message_id="SIM1") is None


@pytest.mark.parametrize(
    ("source", "kept", "rule"),
    [
        ("web_form", "reply", "all_rules_passed"),
        ("verbal", "came_back", "agreement_is_strong_enough"),
        ("existing_customer", "came_back", "agreement_is_strong_enough"),
        ("inquiry", "came_back", "agreement_is_strong_enough"),
    ],
)
def test_start_makes_no_agreement_in_writing_of_what_was_less(cast: Cast, source: str, kept: str, rule: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "marketing", source)], actor_id=None)
    for _ in range(2):
        text(cast.clinic, "STOP")
        text(cast.clinic, "START")
    with tenant_scope(cast.clinic.tenant.id):
        newest = ConsentRecord.objects.order_by("-id")[0]
        assert (newest.act, newest.source, newest.wording) == ("opt_in", kept, "START")
        (decision,) = decide_all([Candidate(ANN)], Circumstances(tenant=cast.clinic.tenant, purpose="marketing"))
        assert decision.rule == rule


def test_without_its_own_source_a_start_would_count_as_writing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coming_back, "SPOKEN_OR_LESS", ())
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "marketing", "verbal")], actor_id=None)
    text(cast.clinic, "STOP")
    text(cast.clinic, "START")
    with tenant_scope(cast.clinic.tenant.id):
        (decision,) = decide_all([Candidate(ANN)], Circumstances(tenant=cast.clinic.tenant, purpose="marketing"))
        assert decision.rule == "all_rules_passed"
