"""What all tests share: the database as the runtime role, and the cast."""

import gc
import os
from collections.abc import Iterator
from shutil import which
from typing import Any

import pytest
from django.core.cache import cache
from django.test import TransactionTestCase
from hypothesis import settings
from playwright.sync_api import Browser, expect, sync_playwright

from tests.cast import Cast, keep_cast, make_cast
from tests.daylight import Daylight
from tests.product import Product, running_product

# The same cases in every run, so that a failure is of the change that was made; `make properties` looks for others.
settings.register_profile("same_cases", derandomize=True)
settings.register_profile("other_cases", derandomize=False)
settings.load_profile(os.environ.get("PROPERTIES", "same_cases"))


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: Any, request: pytest.FixtureRequest
) -> Iterator[None]:
    """The owner creates and migrates the test database; then everything runs as the role that RLS binds."""
    from tests.database import create, destroy, empty

    # Django's own flush truncates every table and then makes all content types and permissions again.
    TransactionTestCase._fixture_teardown = lambda _: empty()  # type: ignore[method-assign]
    with django_db_blocker.unblock():
        create(worker=getattr(request.config, "workerinput", {}).get("workerid", ""))
        keep_cast()
    yield
    with django_db_blocker.unblock():
        destroy()


CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "product" in getattr(item, "fixturenames", ()):
            # One process runs the product and all that looks at it: a second product would take as long to start as its
            # tests take, and keep a core busy with ticking.
            item.add_marker(pytest.mark.xdist_group("product"))
            item.add_marker(pytest.mark.journey)
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """The product as `make run` starts it, with the demo tenants."""
    with running_product() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium. Not for the session: while Playwright runs, its event loop keeps Django from the database."""
    chromium = which("chromium") or which("chromium-browser") or which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    # Patience with a busy machine, not a bound: what is right appears, however late.
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture
def cast(db: None) -> Cast:
    """Alice owns the clinic, Bob is its agent, Vera may only look; Charlie owns another tenant."""
    return make_cast()


@pytest.fixture(autouse=True)
def _test_settings(settings: Any) -> None:
    """Cheap passwords; texts are measured, not passwords."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def daylight(monkeypatch: pytest.MonkeyPatch) -> Daylight:
    """It is afternoon for the rule about hours, whenever the suite runs; a test about nights asks for this and moves it."""
    return Daylight(monkeypatch)


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate-limit counters of one test are none of the next one's business."""
    cache.clear()
