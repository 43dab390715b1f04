"""Fixtures of the messaging tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from messaging.pipeline import handover
from tests.cast import Cast, make_cast
from tests.network import running_network


@pytest.fixture
def committed_cast(transactional_db: None) -> Cast:
    """The cast in committed transactions: what calls a provider must not be inside one."""
    return make_cast()


@pytest.fixture
def network(settings: Any) -> Iterator[str]:
    """The simulated network, and the platform pointed to it."""
    with running_network() as address:
        settings.SIMULATOR_URL = address
        handover._lines.clear()
        yield address
        handover._lines.clear()
