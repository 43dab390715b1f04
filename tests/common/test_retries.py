"""Database work that is tried again, and loops that go on."""

import pytest
from django.db import IntegrityError, OperationalError, transaction

from common.retries import each, insist


class Work:
    """Fails so often, then works."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.calls, self.failures, self.error = 0, failures, error

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return "done"


@pytest.mark.django_db(transaction=True)
def test_what_passes_is_tried_again() -> None:
    work = Work(3, OperationalError("deadlock detected"))
    assert insist(work, seconds=30) == "done"
    assert work.calls == 4


@pytest.mark.django_db(transaction=True)
def test_patience_ends() -> None:
    with pytest.raises(OperationalError):
        insist(Work(10_000, OperationalError("away")), seconds=0.2)


@pytest.mark.django_db(transaction=True)
def test_a_mistake_is_not_tried_again() -> None:
    work = Work(1, IntegrityError("duplicate"))
    with pytest.raises(IntegrityError):
        insist(work, seconds=30)
    assert work.calls == 1


@pytest.mark.django_db
def test_inside_a_transaction_nothing_is_repeated() -> None:
    work = Work(1, OperationalError("deadlock detected"))
    with pytest.raises(OperationalError), transaction.atomic():
        insist(work, seconds=30)
    assert work.calls == 1


def test_one_that_fails_keeps_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    seen = []

    def work(item: int) -> None:
        if item == 2:
            raise ValueError("broken")
        seen.append(item)

    each([1, 2, 3], work, doing="count")
    assert seen == [1, 3]
    assert "Could not count" in caplog.text
