"""Fixtures of the fault tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cast import Cast, make_cast
from tests.faults.world import World, world


@pytest.fixture
def committed_cast(transactional_db: None) -> Cast:
    """The cast in committed transactions, for other processes to see."""
    return make_cast()


@pytest.fixture
def clinic(committed_cast: Cast, settings: Any) -> Iterator[World]:
    """The clinic and its provider."""
    with world(settings, committed_cast.clinic) as made:
        yield made
