"""Health answers, and the demo that newcomers meet."""

import json
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from campaigns.models import Campaign
from consent.models import ConsentRecord, Suppression
from contacts.models import Contact, ContactList
from messaging.models import Message
from messaging.tasks import HEARTBEAT_KEY
from smsplatform import health
from tenants.models import Tenant, User
from tenants.scope import all_tenants

pytestmark = pytest.mark.django_db


def test_livez_answers() -> None:
    assert Client().get("/livez").content == b"ok"


def test_readyz_says_what_is_missing() -> None:
    answer: Any = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "database": "ok",
        "migrations": "ok",
        "broker": "ok",
        "beat": "not seen yet",
    }
    cache.set(HEARTBEAT_KEY, time.time() - 500)
    assert Client().get("/readyz").json()["beat"] == "500 s ago"
    cache.set(HEARTBEAT_KEY, time.time())
    assert Client().get("/readyz").json()["ready"] is True


@pytest.mark.fault("F11")
@pytest.mark.counterproof("F11")
@pytest.mark.parametrize("caught", [True, False])
def test_readyz_without_a_database(monkeypatch: pytest.MonkeyPatch, caught: bool) -> None:
    """It says what is missing. If it did not catch the error (counter-proof), it would answer with a page for people."""

    def refuse(*_: object) -> None:
        raise OperationalError("too many connections")

    monkeypatch.setattr(connection, "cursor", refuse)
    monkeypatch.setattr(health, "_seen_migrated", True)
    if not caught:
        monkeypatch.setattr(health, "DatabaseError", ZeroDivisionError)
    answer: Any = Client(raise_request_exception=False).get("/readyz")
    assert answer.status_code == 503
    assert (b'"database": "unreachable"' in answer.content) is caught


def test_readyz_without_a_broker(settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    answer: Any = Client().get("/readyz")
    assert answer.status_code == 503
    assert (answer.json()["broker"], answer.json()["beat"]) == ("unreachable", "unknown")


def test_readyz_looks_for_missing_migrations_until_there_are_none(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked without signing in, and the graph of all migrations is much work."""
    monkeypatch.setattr(health, "_seen_migrated", False)
    recorder = MigrationRecorder(connection)
    newest = MigrationLoader(connection).graph.leaf_nodes("campaigns")[0]
    recorder.record_unapplied(*newest)
    for _ in range(2):
        assert Client().get("/readyz").json()["migrations"] == "1 missing"
    recorder.record_applied(*newest)
    assert Client().get("/readyz").json()["migrations"] == "ok"
    with django_assert_num_queries(1):
        assert Client().get("/readyz").json()["migrations"] == "ok"


@pytest.fixture
def demo(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("SMSPLATFORM_HOME", str(tmp_path))
    call_command("seed_demo", stdout=StringIO())
    login: dict[str, str] = json.loads((tmp_path / "demo.json").read_text())
    return login


def test_the_demo_has_people_history_and_a_login(demo: dict[str, str]) -> None:
    with all_tenants("test"):
        assert Contact.objects.count() >= 300
        assert Message.objects.count() > 1_000
        assert ConsentRecord.objects.filter(act="opt_in").count() > 300
        assert Suppression.objects.count() > 5
        for campaign in Campaign.objects.all():
            assert campaign.reply_count > 0
            assert campaign.opt_out_count > 0
        numbers = set(Contact.objects.values_list("number", flat=True))
    assert all(number[5:10] == "55501" for number in numbers), "only fictional numbers"
    answer: Any = Client().post("/accounts/login/", {"login": demo["email"], "password": demo["password"]}, follow=True)
    assert b"Hello" in answer.content


def test_each_demo_tenant_has_lists_and_agreements_of_its_trade(demo: dict[str, str]) -> None:
    with all_tenants("test"):
        shop = Tenant.objects.get(name="Corner Books")
        assert set(ContactList.objects.filter(tenant=shop).values_list("name", flat=True)) == {"Readers", "Events"}
        agreed = ConsentRecord.objects.filter(tenant=shop, act="opt_in", purpose="marketing")
        assert agreed.count() > 20
        assert all("Corner Books" in record.wording for record in agreed)


def test_seeding_again_changes_nothing(demo: dict[str, str], tmp_path: Path) -> None:
    with all_tenants("test"):
        before = (Tenant.objects.count(), User.objects.count(), Contact.objects.count(), Message.objects.count())
    call_command("seed_demo", stdout=StringIO())
    with all_tenants("test"):
        assert before == (
            Tenant.objects.count(),
            User.objects.count(),
            Contact.objects.count(),
            Message.objects.count(),
        )
    assert json.loads((tmp_path / "demo.json").read_text()) == demo
