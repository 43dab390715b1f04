"""Writes that come at the same time share a transaction; each caller learns what became of its own."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.group_commit import GroupCommit

AT_ONCE = 8


class Table:
    """What was written, group by group. The first write waits until all others have come."""

    def __init__(self, *, poison: int | None = None) -> None:
        self.groups: list[list[int]] = []
        self.poison = poison
        self.first_is_writing = threading.Event()
        self.go_on = threading.Event()

    def write(self, key: str, items: Sequence[int]) -> Sequence[Exception | None]:
        if not self.first_is_writing.is_set():
            self.first_is_writing.set()
            assert self.go_on.wait(10)
        if self.poison in items:
            raise ValueError("poison")
        self.groups.append(list(items))
        return [KeyError(item) if item < 0 else None for item in items]


def put_all(table: Table, items: Sequence[int]) -> list[BaseException | None]:
    """The first item is being written while all the others come."""
    together = GroupCommit[str, int](table.write)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        first = threads.submit(together.put, "tenant", items[0])
        assert table.first_is_writing.wait(10)
        others = [threads.submit(together.put, "tenant", item) for item in items[1:]]
        while len(together._queues["tenant"].waiting) < len(others):
            threading.Event().wait(0.001)
        table.go_on.set()
        return [one.exception(10) for one in (first, *others)]


def test_what_comes_meanwhile_is_written_together() -> None:
    table = Table()
    assert put_all(table, range(AT_ONCE)) == [None] * AT_ONCE
    assert [sorted(group) for group in table.groups] == [[0], list(range(1, AT_ONCE))]


def test_each_learns_what_is_wrong_with_its_own() -> None:
    errors = put_all(Table(), [1, 2, -3, 4])
    assert [type(error) for error in errors] == [type(None), type(None), KeyError, type(None)]


def test_one_that_cannot_be_written_takes_no_other_with_it() -> None:
    table = Table(poison=3)
    errors = put_all(table, [1, 2, 3, 4])
    assert [type(error) for error in errors] == [type(None), type(None), ValueError, type(None)]
    assert sorted(item for group in table.groups for item in group) == [1, 2, 4]


def test_keys_do_not_wait_for_each_other() -> None:
    """Tenants: one whose write hangs holds up none of the others."""
    written = []
    hangs = threading.Event()

    def write(key: str, items: Sequence[int]) -> Sequence[Exception | None]:
        if key == "slow":
            assert hangs.wait(10)
        written.append(key)
        return [None] * len(items)

    together = GroupCommit[str, int](write)
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(together.put, "slow", 1)
        together.put("quick", 2)
        assert written == ["quick"]
        hangs.set()
        slow.result(10)


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("y")])
def test_a_failure_of_the_only_one_is_its_own(error: Exception) -> None:
    def write(key: str, items: Sequence[int]) -> Sequence[Exception | None]:
        raise error

    with pytest.raises(type(error)):
        GroupCommit[str, int](write).put("tenant", 1)


def test_when_the_writing_thread_is_ended_the_others_hear_of_it_and_the_next_goes_on() -> None:
    """Nothing may wait for ever for a thread that is gone."""
    comes, ends = threading.Event(), threading.Event()

    def write(key: str, items: Sequence[int]) -> Sequence[Exception | None]:
        if not comes.is_set():
            comes.set()
            assert ends.wait(10)
            raise SystemExit
        if 1 in items:
            raise SystemExit
        return [None] * len(items)

    together = GroupCommit[str, int](write)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(together.put, "tenant", 0)
        assert comes.wait(10)
        others = [threads.submit(together.put, "tenant", item) for item in (1, 2)]
        while len(together._queues["tenant"].waiting) < len(others):
            threading.Event().wait(0.001)
        ends.set()
        assert isinstance(first.exception(10), SystemExit)
        assert {type(one.exception(10)) for one in others} == {SystemExit, RuntimeError}
    together.put("tenant", 3)
