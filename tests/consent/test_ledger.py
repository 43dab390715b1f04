"""The ledger: acts are recorded, the current state follows from them and can be rebuilt from them alone."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.ledger import OptIn, rebuild, record_opt_ins
from consent.models import ConsentRecord, ConsentState, Suppression
from consent.services import is_suppressed, opt_back_in, opt_out
from tenants.scope import tenant_scope
from tests.cast import Cast

ANN, BEN = "+12025550101", "+12025550102"


@pytest.fixture(autouse=True)
def _clinic(cast: Cast) -> Any:
    with tenant_scope(cast.clinic.tenant.id):
        yield


def agree(number: str, *purposes: str) -> None:
    record_opt_ins([OptIn(number, purpose, "web_form", wording="I agree") for purpose in purposes], actor_id=None)


def states() -> dict[tuple[str, str], str]:
    rows = ConsentState.objects.values_list("number", "purpose", "act")
    return {(number, purpose): act for number, purpose, act in rows}


def snapshot() -> list[tuple[Any, ...]]:
    return list(
        ConsentState.objects.order_by("number", "purpose").values_list("number", "purpose", "act", "since", "record_id")
    )


def test_an_opt_in_is_recorded_with_its_proof() -> None:
    agree(ANN, "marketing")
    record = ConsentRecord.objects.get()
    assert (record.act, record.source, record.wording) == ("opt_in", "web_form", "I agree")
    assert states() == {(ANN, "marketing"): "opt_in"}


def test_an_opt_out_ends_every_purpose_and_only_for_that_number() -> None:
    agree(ANN, "marketing", "reminder")
    agree(BEN, "marketing")
    assert opt_out(number=ANN, source="reply", wording="STOP")
    assert states() == {(ANN, "marketing"): "opt_out", (ANN, "reminder"): "opt_out", (BEN, "marketing"): "opt_in"}
    assert is_suppressed(number=ANN)
    assert not is_suppressed(number=BEN)


def test_opting_out_again_is_recorded_but_changes_nothing() -> None:
    assert opt_out(number=ANN, source="reply", wording="STOP")
    assert not opt_out(number=ANN, source="reply", wording="stop!!")
    assert ConsentRecord.objects.count() == 2
    assert Suppression.objects.count() == 1


def test_start_renews_what_was_agreed_before_and_nothing_else() -> None:
    agree(ANN, "marketing")
    opt_out(number=ANN, source="reply", wording="STOP")
    assert opt_back_in(number=ANN, wording="START", evidence={})
    assert states() == {(ANN, "marketing"): "opt_in"}
    assert not is_suppressed(number=ANN)
    newest = ConsentRecord.objects.order_by("-id")[0]
    assert (newest.purpose, newest.source, newest.wording) == ("marketing", "reply", "START")
    assert newest.evidence["renews"]


def test_start_grants_nothing_to_somebody_who_never_agreed() -> None:
    opt_out(number=ANN, source="reply", wording="STOP")
    assert opt_back_in(number=ANN, wording="START", evidence={})
    assert states() == {}


def test_start_without_an_opt_out_does_nothing() -> None:
    agree(ANN, "marketing")
    assert not opt_back_in(number=ANN, wording="START", evidence={})
    assert ConsentRecord.objects.count() == 1


def test_start_does_not_revive_what_an_earlier_opt_out_had_ended() -> None:
    agree(ANN, "marketing")
    opt_out(number=ANN, source="reply", wording="STOP")
    opt_back_in(number=ANN, wording="START", evidence={})
    opt_out(number=ANN, source="reply", wording="STOP")
    opt_back_in(number=ANN, wording="START", evidence={})
    assert states() == {(ANN, "marketing"): "opt_in"}
    assert Suppression.objects.filter(lifted_at=None).count() == 0
    assert Suppression.objects.count() == 2


acts = st.lists(
    st.tuples(st.sampled_from([ANN, BEN]), st.sampled_from(["marketing", "reminder", "STOP", "START"])), max_size=10
)


@given(acts)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_state_is_what_the_records_say(history: list[tuple[str, str]]) -> None:
    """Whatever happened: throwing the projection away and deriving it again gives the same."""
    for number, act in history:
        if act == "STOP":
            opt_out(number=number, source="reply", wording="STOP")
        elif act == "START":
            opt_back_in(number=number, wording="START", evidence={})
        else:
            agree(number, act)
    before = snapshot()
    rebuild()
    assert snapshot() == before


def test_rebuilding_repairs_a_damaged_state() -> None:
    agree(ANN, "marketing")
    before = snapshot()
    ConsentState.objects.update(act="opt_out")
    rebuild()
    assert snapshot() == before
