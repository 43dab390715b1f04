"""Opting out and handing over never overlap: an attempt is committed before the opt-out, or sees it."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from consent import revocation_lock
from consent.services import is_suppressed, opt_out
from tenants.scope import tenant_scope
from tests.cast import Company, make_company

ANN = "+12025550101"
SOON = 0.3
"""Seconds in which a statement that is not kept waiting ends many times over."""


@pytest.fixture
def company(transactional_db: None) -> Company:
    return make_company("Harbor Clinic", "alice@clinic.example", "+12025550190")


def in_thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def stop_while_handing_over(company: Company) -> bool:
    """Whether an opt-out gets through while a hand-over is between its check and its commit."""
    opted_out = threading.Event()

    def stop() -> None:
        with tenant_scope(company.tenant.id, durable=True):
            opt_out(number=ANN, source="reply", wording="STOP")
        opted_out.set()

    with tenant_scope(company.tenant.id, durable=True):
        revocation_lock.share()
        assert not is_suppressed(number=ANN)
        thread = in_thread(stop)
        overtook = opted_out.wait(SOON)
    thread.join(10)
    assert opted_out.is_set()
    return overtook


@pytest.mark.fault("F22")
def test_an_opt_out_waits_for_the_running_hand_over(company: Company) -> None:
    assert not stop_while_handing_over(company)


@pytest.mark.fault("F22")
@pytest.mark.counterproof("F22")
def test_without_the_lock_it_would_not(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter-proof."""
    monkeypatch.setattr(revocation_lock, "share", lambda: None)
    assert stop_while_handing_over(company)


def test_a_later_hand_over_waits_for_the_opt_out_and_sees_it(company: Company) -> None:
    seen: list[bool] = []

    def hand_over() -> None:
        with tenant_scope(company.tenant.id, durable=True):
            revocation_lock.share()
            seen.append(is_suppressed(number=ANN))

    with tenant_scope(company.tenant.id, durable=True):
        opt_out(number=ANN, source="reply", wording="STOP")
        thread = in_thread(hand_over)
        thread.join(SOON)
        assert seen == []
    thread.join(10)
    assert seen == [True]


def test_hand_overs_do_not_wait_for_each_other(company: Company) -> None:
    both = threading.Event()

    def other() -> None:
        with tenant_scope(company.tenant.id):
            revocation_lock.share()
            both.set()

    with tenant_scope(company.tenant.id):
        revocation_lock.share()
        thread = in_thread(other)
        assert both.wait(10)
    thread.join(10)


def test_other_tenants_are_not_kept_waiting(company: Company) -> None:
    shop = make_company("Corner Shop", "charlie@shop.example", "+12025550191")
    done = threading.Event()

    def stop() -> None:
        with tenant_scope(shop.tenant.id):
            opt_out(number=ANN, source="reply", wording="STOP")
            done.set()

    with tenant_scope(company.tenant.id):
        revocation_lock.share()
        thread = in_thread(stop)
        assert done.wait(10)
    thread.join(10)
