"""What carriers want registered gates sending: noted and not approved keeps texts back, with what to do."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent import gate
from consent.ledger import OptIn, record_opt_ins
from messaging.models import Sender, SenderRegistration
from messaging.pipeline.route import choose
from messaging.registration import states_of
from messaging.services import add_provider_account, add_sender, save_pool, why_or_why_not
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db

ANN = "+12025550101"
LOCAL, TOLL_FREE = ("long_code", "+12025550180"), ("toll_free", "+18005550180")


def at_twilio(company: Company, kind: str, value: str) -> Sender:
    """A sender at a real provider, and somebody who agreed."""
    secrets = {"account_sid": f"AC{'1' * 32}", "auth_token": "t" * 32}
    account = add_provider_account(kind="twilio", name=f"Twilio {value}", credentials=secrets)
    record_opt_ins([OptIn(ANN, "marketing", "web_form")], actor_id=None)
    return add_sender(tenant=company.tenant, account=account, value=value, kind=kind)


def rule_of(company: Company, sender: Sender) -> str:
    return why_or_why_not(tenant=company.tenant, number=ANN, purpose="marketing", sender_id=sender.id).rule


def note(kind: str, status: str, sender: Sender | None = None, reason: str = "") -> None:
    SenderRegistration.objects.create(kind=kind, status=status, sender=sender, reason=reason)


BLOCKED, GOES = "sender_is_registered", "all_rules_passed"


@pytest.mark.parametrize(
    ("sender", "noted", "state", "rule"),
    [
        (LOCAL, [], "not_noted", GOES),
        (LOCAL, [("brand", "approved")], "not_noted", GOES),
        (LOCAL, [("brand", "approved"), ("campaign", "approved")], "approved", GOES),
        (LOCAL, [("brand", "approved"), ("campaign", "submitted")], "submitted", BLOCKED),
        (LOCAL, [("brand", "rejected"), ("campaign", "approved")], "rejected", BLOCKED),
        (LOCAL, [("brand", "draft")], "draft", BLOCKED),
        (LOCAL, [("brand", "approved"), ("campaign", "expired")], "expired", BLOCKED),
        # The newest of a kind counts, and a local number needs no toll-free verification.
        (LOCAL, [("brand", "rejected"), ("brand", "approved"), ("campaign", "approved")], "approved", GOES),
        (LOCAL, [("toll_free", "rejected")], "not_noted", GOES),
        (TOLL_FREE, [("toll_free", "submitted")], "submitted", BLOCKED),
        (TOLL_FREE, [("toll_free", "approved"), ("brand", "rejected")], "approved", GOES),
    ],
)
def test_what_is_not_approved_keeps_texts_back(
    cast: Cast, sender: tuple[str, str], noted: list[tuple[str, str]], state: str, rule: str
) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        number = at_twilio(cast.clinic, *sender)
        for kind, status in noted:
            note(kind, status)
        assert states_of([number])[number.id].status == state
        assert rule_of(cast.clinic, number) == rule
        # Nobody asks for the registration of a simulated number.
        assert rule_of(cast.clinic, cast.clinic.sender) == GOES


def test_without_the_rule_it_would_go(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RULES", tuple(rule for rule in gate.RULES if rule is not gate.sender_is_registered))
    with tenant_scope(cast.clinic.tenant.id):
        number = at_twilio(cast.clinic, *LOCAL)
        note("brand", "rejected")
        assert rule_of(cast.clinic, number) == GOES


def test_a_registration_of_the_number_goes_before_one_for_all(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        number = at_twilio(cast.clinic, *TOLL_FREE)
        note("toll_free", "approved", number)
        note("toll_free", "rejected")
        assert rule_of(cast.clinic, number) == GOES


def test_another_number_of_the_pool_carries_it(cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        number = at_twilio(clinic, *LOCAL)
        note("brand", "draft")
        pool = save_pool(name="All", senders=[number, clinic.sender])
        route = choose(None, pool.id)
        assert [one.id for one in route.usable] == [clinic.sender.id]
        Sender.objects.filter(id=clinic.sender.id).update(status="paused")
        route = choose(None, pool.id)
        assert (route.sender, bool(route.registration_problem)) == (None, True)


def test_the_page_says_why_and_what_to_do(client: Client, cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        number = at_twilio(clinic, *LOCAL)
        note("brand", "approved")
        note("campaign", "rejected", number, "The opt-in page does not name you")
        decision = why_or_why_not(tenant=clinic.tenant, number=ANN, purpose="marketing", sender_id=number.id)
        problem = "Campaign (10DLC) is not approved (rejected). Tell the platform's team what to change"
        assert str(decision.data["problem"]).startswith(problem)
    sign_in(client, cast.vera, clinic.tenant)
    page = text_of(client.get(reverse("senders")))
    assert problem in page
    assert "The opt-in page does not name you" in page


def test_another_tenant_s_registrations_do_not_count(cast: Cast) -> None:
    with tenant_scope(cast.shop.tenant.id):
        note("brand", "rejected")
    with tenant_scope(cast.clinic.tenant.id):
        number: Any = at_twilio(cast.clinic, *LOCAL)
        assert rule_of(cast.clinic, number) == GOES
