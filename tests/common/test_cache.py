"""While Redis is away the cache is empty, limits let everything pass, and pages work."""

import logging
from collections.abc import Callable
from typing import Any, cast

import pytest
from django.core.cache import cache, caches
from django.test import Client
from django.urls import reverse

from common import cache as tolerant
from common.cache import TolerantCache
from common.rate_limit import within_limit
from tests.cast import PASSWORD, Cast
from tests.web import sign_in

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def away(settings: Any) -> None:
    """Nobody listens there."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOBODY}}


QUESTIONS: dict[str, tuple[Callable[[], object], object]] = {
    "get": (lambda: cache.get("x", "default"), "default"),
    "add": (lambda: cache.add("x", 1), True),
    "set": (lambda: cache.set("x", 1), None),
    "touch": (lambda: cache.touch("x"), False),
    "delete": (lambda: cache.delete("x"), False),
    "has_key": (lambda: cache.has_key("x"), False),
    "get_many": (lambda: cache.get_many(["x"]), {}),
    "set_many": (lambda: cache.set_many({"x": 1}), ["x"]),
    "delete_many": (lambda: cache.delete_many(["x"]), None),
    "get_or_set": (lambda: cache.get_or_set("x", 7), 7),
}


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("name", QUESTIONS)
def test_it_is_empty_while_redis_is_away(name: str, caplog: pytest.LogCaptureFixture) -> None:
    ask, answer = QUESTIONS[name]
    assert ask() == answer
    assert "The cache cannot be reached" in caplog.text


@pytest.mark.usefixtures("away")
def test_nothing_can_be_counted() -> None:
    with pytest.raises(ValueError, match="not found"):
        cache.incr("x")
    assert all(within_limit("x", per_minute=1) for _ in range(5))


def test_limits_hold_while_it_is_there() -> None:
    assert [within_limit("x", per_minute=2) for _ in range(4)] == [True, True, False, False]


@pytest.mark.usefixtures("away")
def test_redis_is_left_alone_for_a_moment(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that asks a dozen times waits once."""
    caplog.set_level(logging.WARNING)
    for _ in range(12):
        cache.get("x")
    assert caplog.text.count("cannot be reached") == 1
    monkeypatch.setattr(tolerant, "ASK_AGAIN_SECONDS", 0.0)
    cast(TolerantCache, caches["default"])._away_until = 0.0
    cache.get("x")
    cache.get("x")
    assert caplog.text.count("cannot be reached") == 3


def test_it_says_whether_redis_answers(settings: Any) -> None:
    assert cast(TolerantCache, caches["default"]).reachable()
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOBODY}}
    assert not cast(TolerantCache, caches["default"]).reachable()


PAGES = (
    "home",
    "inbox",
    "contacts",
    "lists",
    "imports",
    "campaigns",
    "campaign_new",
    "senders",
    "templates",
    "template_new",
    "team",
    "compliance",
)


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("name", PAGES)
def test_pages_work(client: Client, cast: Cast, name: str) -> None:
    sign_in(client, cast.alice, cast.clinic.tenant)
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.usefixtures("away")
def test_people_sign_in_and_write(client: Client, cast: Cast) -> None:
    assert client.get(reverse("account_login")).status_code == 200
    assert client.post(reverse("account_login"), {"login": cast.alice.email, "password": "wrong"}).status_code == 200
    answer = client.post(reverse("account_login"), {"login": cast.alice.email, "password": PASSWORD})
    assert answer.headers["Location"] == reverse("home")
    assert client.post(reverse("lists"), {"name": "New"}).status_code == 302
    # Whether anybody has a value for an unknown tag is remembered in the cache.
    tagged = {"name": "Tagged", "purpose": "marketing", "body": "Hi {{ nickname | you }}"}
    assert client.post(reverse("campaign_new"), tagged).status_code == 422
    assert Client().post(reverse("account_reset_password"), {"email": cast.bob.email}).status_code == 302
