"""Why a person can or cannot be texted now: the page names everything that the gate looks at, not only what decided."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.decision import RULES_VERSION, Decision
from consent.gate import RULES
from consent.ledger import OptIn
from consent.models import PossibleOptOut
from consent.services import opt_in, opt_out
from contacts.archive import archive
from contacts.models import Contact
from contacts.services import create_contact
from messaging.explanation import Finding, explain
from messaging.models import Batch, InboundMessage, Message, Sender
from messaging.stored_decision import stored_decision
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.daylight import Daylight
from tests.web import sign_in

NUMBER = "+12025550101"
Deed = Callable[[Company], object]


@pytest.fixture
def ann(cast: Cast, daylight: Daylight) -> Contact:
    with tenant_scope(cast.clinic.tenant.id):
        return create_contact(tenant=cast.clinic.tenant, number=NUMBER, values={"first_name": "Ann"})


def _agree(company: Company) -> None:
    opt_in(opt_in=OptIn(NUMBER, "marketing", "paper", wording="Signed at the desk"))


def _stop(company: Company) -> None:
    opt_out(number=NUMBER, source="reply", wording="STOP")


def _wrote(company: Company) -> InboundMessage:
    return InboundMessage.objects.create(
        provider_account=company.account,
        provider_message_id="SIMwhy",
        sender=company.sender,
        number=NUMBER,
        body="enough of this",
    )


def _pause(company: Company) -> None:
    Sender.objects.update(status=Sender.Status.PAUSED)


def _archive(company: Company) -> None:
    archive(list(Contact.objects.values_list("id", flat=True)))


def _suspend(company: Company) -> None:
    Tenant.objects.filter(id=company.tenant.id).update(status=Tenant.Status.SUSPENDED)
    company.tenant.refresh_from_db()


def _found(company: Company, purpose: str) -> dict[str, Finding]:
    explanation = explain(tenant=company.tenant, number=NUMBER, purpose=purpose)
    return {finding.subject: finding for finding in explanation.findings}


@pytest.mark.parametrize(
    ("deeds", "purpose", "subject", "tone", "text"),
    [
        ([], "marketing", "Agreement", "bad", "None is on record."),
        ([_agree], "marketing", "Agreement", "good", "They agreed to this on"),
        ([_agree, _stop], "marketing", "Agreement", "bad", "They took it back on"),
        ([_wrote], "support", "Agreement", "good", "None is needed for an answer: they wrote to you first."),
        ([], "support", "Agreement", "bad", "None is on record."),
        ([], "marketing", "Opt-out", "good", "No opt-out of all texts is in force."),
        ([_stop], "marketing", "Opt-out", "bad", "They opted out of all texts."),
        ([_pause], "marketing", "Sender", "bad", "All senders are paused."),
        ([], "marketing", "Sender", "good", "It would go from +12025550190."),
        ([_archive], "marketing", "Contact", "bad", "In the archive: they get answers and codes only."),
        ([_archive], "support", "Contact", "good", "In the archive: they get answers and codes only."),
        ([_suspend], "marketing", "Your account", "bad", "This account is suspended or about to be deleted."),
        ([], "marketing", "Hours", "good", "Allowed now, until"),
        ([], "marketing", "How often", "good", "No limit of texts to them is reached."),
        ([], "support", "Hours", "good", "Such texts go at any hour."),
    ],
)
def test_each_fact_has_its_sentence(
    cast: Cast, ann: Contact, deeds: list[Deed], purpose: str, subject: str, tone: str, text: str
) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        for deed in deeds:
            deed(cast.clinic)
        finding = _found(cast.clinic, purpose)[subject]
    assert (finding.tone, finding.text) == (tone, text)


def test_a_text_that_may_ask_to_stop_holds_offers_only(cast: Cast, ann: Contact) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        PossibleOptOut.objects.create(number=NUMBER)
        tones = {
            purpose: _found(cast.clinic, purpose)["Texts that may ask to stop"].tone
            for purpose in ("marketing", "reminder")
        }
    assert tones == {"marketing": "bad", "reminder": "good"}


def test_by_night_the_next_allowed_time_is_named(cast: Cast, ann: Contact, daylight: Daylight) -> None:
    daylight.become(daylight.now + timedelta(hours=11))
    with tenant_scope(cast.clinic.tenant.id):
        _agree(cast.clinic)
        explanation = explain(tenant=cast.clinic.tenant, number=NUMBER, purpose="marketing")
        hours = _found(cast.clinic, "marketing")["Hours"]
    assert explanation.decision.outcome == "defer"
    assert (hours.tone, hours.text) == ("neutral", "Not now; the next allowed time is")
    assert hours.at == explanation.decision.until
    assert "America/New_York" in hours.ground


def test_every_objection_is_told_not_only_the_first(cast: Cast, ann: Contact, daylight: Daylight) -> None:
    """Counter-proof: the decision itself knows one of them."""
    daylight.become(daylight.now + timedelta(hours=11))
    with tenant_scope(cast.clinic.tenant.id):
        for deed in (_pause, _stop, _archive):
            deed(cast.clinic)
        explanation = explain(tenant=cast.clinic.tenant, number=NUMBER, purpose="marketing")
    told = {finding.subject for finding in explanation.findings if finding.tone != "good"}
    assert told == {"Sender", "Opt-out", "Contact", "Agreement", "Hours"}
    assert explanation.decision.rule == "sender_is_ready"


def test_a_finding_is_bad_exactly_when_a_rule_objects(cast: Cast, ann: Contact) -> None:
    """The first finding that is not good belongs to the decision: pages and gate cannot say different things."""
    with tenant_scope(cast.clinic.tenant.id):
        for purpose in ("marketing", "transactional", "reminder", "support"):
            explanation = explain(tenant=cast.clinic.tenant, number=NUMBER, purpose=purpose)
            objected = [finding for finding in explanation.findings if finding.tone != "good"]
            assert bool(objected) is (explanation.decision.rule in {rule.__name__ for rule in RULES})


@pytest.mark.parametrize("name", ["alice", "mona", "bob", "vera"])
def test_the_page_shows_what_was_checked(client: Client, cast: Cast, ann: Contact, name: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        _agree(cast.clinic)
    page = sign_in(client, getattr(cast, name), cast.clinic.tenant).get(reverse("contact", args=[ann.id]))
    text = page.content.decode()
    for words in ("What was checked", "They agreed to this on", "Allowed now, until", "America/New_York"):
        assert words in text
    assert timezone.now().strftime("%b") in text


# --- The decision of then -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "text", "ground"),
    [
        (Decision("allow", "all_rules_passed", {"record": "r1"}), "Allowed: they had agreed", "Record r1"),
        (
            Decision("allow", "all_rules_passed", {"record": "r1", "zones": ["UTC"], "jurisdictions": ["US-FL"]}),
            "Allowed: they had agreed",
            "Record r1. By the clocks of UTC; by the laws of US-FL",
        ),
        (Decision("allow", "all_rules_passed", {"wrote_to_us": True}), "Allowed: they wrote to you first", ""),
        (Decision("allow", "all_rules_passed", {"exemption": "help_reply"}), "Allowed: the answer to HELP", ""),
        (Decision("allow", "all_rules_passed"), "Allowed: no rule objected", ""),
        (Decision("block", "person_agreed"), "Refused: Has not agreed to this kind of text", ""),
        (Decision("block", "a_rule_of_long_ago"), "Refused: a rule did not allow it", ""),
    ],
)
def test_a_stored_decision_is_read_in_words(stored: Decision, text: str, ground: str) -> None:
    words = stored_decision(stored.as_json())
    assert words is not None
    assert (words.text, words.ground, words.rules_version) == (text, ground, RULES_VERSION)


@pytest.mark.parametrize("nothing", [{}, {"rule": "person_agreed"}])
def test_a_text_without_a_decision_shows_none(nothing: dict[str, object]) -> None:
    assert stored_decision(nothing) is None


def test_the_timeline_shows_the_decision_of_then(client: Client, cast: Cast, ann: Contact) -> None:
    """Not that of now: she has opted out since."""
    with tenant_scope(cast.clinic.tenant.id):
        _agree(cast.clinic)
        decision = explain(tenant=cast.clinic.tenant, number=NUMBER, purpose="marketing").decision
        Message.objects.create(
            batch=Batch.objects.create(lane="marketing", purpose="marketing", cause_kind="event"),
            number=NUMBER,
            body="The sale starts",
            encoding="GSM-7",
            part_count=1,
            status="delivered",
            decision=decision.as_json(),
        )
        _stop(cast.clinic)
    page = sign_in(client, cast.alice, cast.clinic.tenant).get(reverse("contact", args=[ann.id])).content.decode()
    assert "Allowed: they had agreed. " in " ".join(page.split())
    assert str(decision.data["record"]) in page
    assert "It was allowed to arrive until" in page
