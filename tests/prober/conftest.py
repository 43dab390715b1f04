"""What the proof needs: both tenants, and a product in which nobody runs into a limit of requests."""

from typing import Any

import pytest
from django.core.cache import cache

from tests.prober.world import World, make_world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The whole of it takes minutes, so ``make probe`` runs it and ``make test`` does not."""
    for item in items:
        if "/tests/prober/" in str(item.path):
            item.add_marker(pytest.mark.prober)


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    """Thousands of requests a minute by the same people; the limits themselves are tested elsewhere."""
    settings.CACHES = {"default": {"BACKEND": "tests.prober.caches.LimitlessCache", "LOCATION": "prober"}}
    settings.ACCOUNT_RATE_LIMITS = False
    cache.clear()


@pytest.fixture
def world(db: None) -> World:
    """Two tenants with everything in them."""
    return make_world()
