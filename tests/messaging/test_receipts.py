"""Receipts: any order, repeated, early or lost, end in the same state."""

from itertools import permutations
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from common.lanes import MARKETING
from consent.services import is_suppressed
from messaging.models import Attempt, Batch, DeliveryReceipt, Message
from messaging.pipeline import receipt, transitions
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.receipt import apply_pending, store
from messaging.pipeline.transitions import Change, apply_changes
from messaging.providers.base import StatusUpdate
from tenants.scope import tenant_scope
from tests.cast import Cast, Company

ANN = "+12025550101"


def handed_over(company: Company, *, state: str = "accepted", status: str = "accepted") -> tuple[UUID, UUID]:
    """A message with a live attempt: (message, attempt)."""
    with tenant_scope(company.tenant.id):
        batch, (message_id,) = enqueue([Draft(ANN, "Hello")], Cause("campaign", MARKETING, "marketing"))
        attempt = Attempt.objects.create(
            message_id=message_id,
            state=state,
            provider_account=company.account,
            provider_message_id="SIM1" if state == "accepted" else "",
            deadline=timezone.now(),
        )
        apply_changes([Change(message_id, "submitting")], batch_ids=[batch.id])
        if status != "submitting":
            apply_changes([Change(message_id, status)], batch_ids=[batch.id])
        return message_id, attempt.id


def tell(
    company: Company,
    attempt_id: UUID | None,
    word: str,
    *,
    code: str = "",
    message_id: str = "SIM1",
    opted_out: bool = False,
) -> None:
    with tenant_scope(company.tenant.id):
        known = word if word in ("accepted", "sent", "delivered", "undelivered", "failed") else ""
        store(company.account, attempt_id, StatusUpdate(message_id, word, known, code, opted_out))


def status_of(company: Company, message_id: UUID) -> str:
    with tenant_scope(company.tenant.id):
        return Message.objects.get(id=message_id).status


@pytest.mark.fault("F19")
@pytest.mark.parametrize("order", list(permutations(["accepted", "sent", "delivered", "teleported"])), ids="-".join)
@pytest.mark.parametrize("one_by_one", [True, False])
def test_every_order_ends_delivered(cast: Cast, order: tuple[str, ...], one_by_one: bool) -> None:
    message_id, attempt_id = handed_over(cast.clinic)
    for word in order:
        tell(cast.clinic, attempt_id, word)
        if one_by_one:
            apply_pending()
    apply_pending()
    assert status_of(cast.clinic, message_id) == "delivered"


@pytest.mark.fault("F19")
@pytest.mark.counterproof("F19")
def test_without_the_rank_a_late_receipt_would_win(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter-proof: with every transition allowed, "sent" overwrites "delivered"."""
    everything = ", ".join(f"('{a}', '{b}')" for a in Message.Status.values for b in Message.Status.values)
    monkeypatch.setattr(transitions, "_CHANGE", transitions._CHANGE.replace(transitions._ALLOWED, everything))
    message_id, attempt_id = handed_over(cast.clinic)
    for word in ("delivered", "sent"):
        tell(cast.clinic, attempt_id, word)
        apply_pending()
    assert status_of(cast.clinic, message_id) == "sent"


def test_the_first_final_word_stays(cast: Cast) -> None:
    message_id, attempt_id = handed_over(cast.clinic)
    for word in ("undelivered", "delivered"):
        tell(cast.clinic, attempt_id, word, code="30003" if word == "undelivered" else "")
        apply_pending()
    assert status_of(cast.clinic, message_id) == "undelivered"
    with tenant_scope(cast.clinic.tenant.id):
        assert Message.objects.get().error_code == "30003"
        assert DeliveryReceipt.objects.count() == 2


@pytest.mark.fault("F20")
@pytest.mark.parametrize("status", ["submitting", "unknown"])
def test_a_receipt_resolves_an_attempt_whose_answer_was_lost(cast: Cast, status: str) -> None:
    message_id, attempt_id = handed_over(cast.clinic, state=status, status=status)
    tell(cast.clinic, attempt_id, "sent", message_id="SIM7")
    apply_pending()
    assert status_of(cast.clinic, message_id) == "sent"
    with tenant_scope(cast.clinic.tenant.id):
        attempt = Attempt.objects.get()
        assert (attempt.state, attempt.provider_message_id) == ("accepted", "SIM7")


@pytest.mark.fault("F19")
def test_repeated_receipts_are_one(cast: Cast) -> None:
    _, attempt_id = handed_over(cast.clinic)
    for _ in range(3):
        tell(cast.clinic, attempt_id, "sent")
    assert apply_pending() == 1
    assert apply_pending() == 0


def test_another_tenants_receipt_cannot_name_our_attempt(cast: Cast) -> None:
    message_id, attempt_id = handed_over(cast.clinic)
    tell(cast.shop, attempt_id, "failed", code="30007")
    apply_pending()
    assert status_of(cast.clinic, message_id) == "accepted"


@pytest.mark.parametrize("status", ["submitting", "unknown"])
def test_a_word_that_is_not_known_still_shows_that_the_text_was_taken(cast: Cast, status: str) -> None:
    """Otherwise nothing would ever resolve it: its attempt is settled, its message would stay in doubt."""
    message_id, attempt_id = handed_over(cast.clinic, state=status, status=status)
    tell(cast.clinic, attempt_id, "teleported")
    apply_pending()
    assert status_of(cast.clinic, message_id) == "accepted"


def test_one_tenants_broken_receipt_keeps_nobody_elses_waiting(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for company in (cast.clinic, cast.shop):
        message_id, attempt_id = handed_over(company)
        tell(company, attempt_id, "delivered")
    broken = cast.clinic.tenant.id
    apply_page = receipt._apply_page

    def fail_for_one(tenant_id: UUID) -> int:
        if tenant_id == broken:
            raise ValueError("broken")
        return apply_page(tenant_id)

    monkeypatch.setattr(receipt, "_apply_page", fail_for_one)
    assert apply_pending() == 1
    assert status_of(cast.shop, message_id) == "delivered"


@pytest.mark.parametrize("attempt_id", [None, uuid4()])
def test_a_receipt_for_nothing_we_know_is_kept_and_changes_nothing(cast: Cast, attempt_id: UUID | None) -> None:
    message_id, _ = handed_over(cast.clinic)
    tell(cast.clinic, attempt_id, "delivered")
    assert apply_pending() == 1
    assert status_of(cast.clinic, message_id) == "accepted"
    with tenant_scope(cast.clinic.tenant.id):
        assert DeliveryReceipt.objects.count() == 1


def test_a_receipt_with_another_message_id_than_the_answer_is_ignored(cast: Cast) -> None:
    message_id, attempt_id = handed_over(cast.clinic)
    tell(cast.clinic, attempt_id, "failed", message_id="SIM666")
    apply_pending()
    assert status_of(cast.clinic, message_id) == "accepted"


def test_an_opt_out_told_in_a_receipt_is_learned(cast: Cast) -> None:
    _, attempt_id = handed_over(cast.clinic)
    tell(cast.clinic, attempt_id, "failed", code="21610", opted_out=True)
    apply_pending()
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=ANN)


def test_tallies_follow(cast: Cast) -> None:
    _, attempt_id = handed_over(cast.clinic)
    tell(cast.clinic, attempt_id, "delivered")
    apply_pending()
    with tenant_scope(cast.clinic.tenant.id):
        assert Batch.objects.get().tally == {"delivered": 1}
