"""The doors that are no pages: background tasks, commands, and the callbacks of providers."""

import inspect
import io
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.core.management import call_command, get_commands, load_command_class
from django.db import transaction
from django.test import Client
from twilio.request_validator import RequestValidator

from messaging.models import Attempt, InboundMessage, Message, ProviderAccount
from messaging.services import add_provider_account, add_sender
from smsplatform.celery import app
from tenants.owned import TenantOwned
from tenants.scope import tenant_scope
from tests.prober import witness
from tests.prober.belts import MODES, take_off
from tests.prober.judge import foreign_writes
from tests.prober.routes import kind_of
from tests.prober.world import Side, World

BASE = "https://sms.example.com"


def _tasks_of_rows() -> list[str]:
    """The tasks that are given the id of a row."""
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    return sorted(name for name, task in ours.items() if "tenant_id" in inspect.signature(task.run).parameters)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", _tasks_of_rows())
def test_a_task_for_one_tenant_leaves_the_others_rows_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, mode: str
) -> None:
    """A message in the broker that names one tenant and a row of the other one does nothing to that row."""
    take_off(mode, monkeypatch)
    witness.install()
    task = app.tasks[name]
    (row_id,) = [each for each in inspect.signature(task.run).parameters if each != "tenant_id"]
    for theirs in world.b.ids[kind_of(row_id, task.run, world.b)]:
        before = transaction.savepoint()
        with suppress(ObjectDoesNotExist):
            task.run(str(world.a.tenant.id), str(theirs))
        assert list(foreign_writes(witness.writes(), world.b)) == []
        transaction.savepoint_rollback(before)
        transaction.savepoint_commit(before)


def _one_after_another(work: Callable[[Any], bool], items: Iterable[Any], *, loaders: int) -> bool:
    """Loaders have connections of their own, which see nothing of the test's transaction."""
    return all(work(item) for item in items)


COMMANDS = {
    "import_contacts": ["{file}", "--tenant", "{tenant}", "--consent-basis", "none"],
    "verify_ledger": ["--tenant", "{tenant}"],
}
"""How the commands that work for one tenant are called."""
ONLY_READ = {"verify_ledger"}


def _commands_for_a_tenant() -> list[str]:
    labels = {
        config.name for config in apps.get_app_configs() if any(issubclass(m, TenantOwned) for m in config.get_models())
    }
    ours = [(name, where) for name, where in get_commands().items() if where in {*labels, "smsplatform"}]
    parsers = {name: load_command_class(str(where), name).create_parser("manage.py", name) for name, where in ours}
    return sorted(name for name, parser in parsers.items() if "--tenant" in parser.format_help())


def test_the_commands_for_one_tenant_are_known() -> None:
    assert set(_commands_for_a_tenant()) == set(COMMANDS), "Say in COMMANDS how the new command is called."


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_for_one_tenant_leaves_the_others_rows_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, mode: str
) -> None:
    """Also when the file holds the other tenant's ids and numbers, in columns that name them."""
    take_off(mode, monkeypatch)
    monkeypatch.setattr("contacts.importing.run.in_parallel", _one_after_another)
    witness.install()
    b = world.b
    row = f"{b.canaries.number(0)},{b.tenant.id},{b.id('contacts.contactlist', 0)},{b.id('contacts.contact', 0)}"
    file = tmp_path / f"{b.id('contacts.contactimport', 0)}.csv"
    file.write_text(f"phone,tenant_id,list_id,id\n{row}\n", encoding="utf-8")
    said = io.StringIO()
    with suppress(SystemExit):  # of a verdict
        call_command(
            name, *[each.format(file=file, tenant=world.a.tenant.slug) for each in COMMANDS[name]], stdout=said
        )
    assert said.getvalue()
    assert list(foreign_writes(witness.writes(), b)) == []
    assert {write.owner for write in witness.writes()} == (set() if name in ONLY_READ else {str(world.a.tenant.id)})
    assert not b.canaries.found_in(said.getvalue().replace(str(file.with_suffix("")), ""))


# --- Callbacks: what a provider signs for one tenant says nothing about the other one -----------------------------


@pytest.fixture
def accounts(world: World, settings: Any) -> dict[str, ProviderAccount]:
    """A Twilio account of each tenant."""
    settings.PUBLIC_BASE_URL = BASE
    made = {}
    for side in (world.a, world.b):
        with tenant_scope(side.tenant.id):
            secrets = {"account_sid": f"AC{side.letter * 32}", "auth_token": side.letter * 32}
            made[side.letter] = add_provider_account(kind="twilio", name="Twilio", credentials=secrets)
            add_sender(tenant=side.tenant, account=made[side.letter], value=side.canaries.number(80), kind="long_code")
    witness.install()
    return made


def _post(account: ProviderAccount, kind: str, form: dict[str, str], *, token: str, query: str = "") -> int:
    path = f"/callbacks/twilio/{account.id}/{kind}{query}"
    signature = RequestValidator(token).compute_signature(BASE + path, form)
    answer = Client().post(
        path,
        data=urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )
    return answer.status_code


def _inbound(side: Side, number: str) -> dict[str, str]:
    return {
        "AccountSid": f"AC{side.letter * 32}",
        "MessageSid": f"SM{uuid4().hex}",
        "From": number,
        "To": side.canaries.number(80),
        "Body": "STOP",
        "NumMedia": "0",
    }


@pytest.mark.parametrize("mode", MODES)
def test_a_text_signed_by_one_tenant_is_refused_at_the_others_address(
    world: World, accounts: dict[str, ProviderAccount], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    take_off(mode, monkeypatch)
    for claimed in (world.a, world.b):
        form = _inbound(claimed, world.a.canaries.number(0))
        assert _post(accounts["a"], "inbound", form, token="b" * 32) == 403
    assert list(foreign_writes(witness.writes(), world.a)) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_stop_to_one_tenant_is_none_to_the_other(
    world: World, accounts: dict[str, ProviderAccount], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """The same person may have agreed to texts of both."""
    take_off(mode, monkeypatch)
    assert _post(accounts["b"], "inbound", _inbound(world.b, world.a.canaries.number(0)), token="b" * 32) == 204
    written = list(witness.writes())
    assert {write.table for write in written} >= {InboundMessage._meta.db_table, "consent_suppression"}
    assert list(foreign_writes(written, world.a)) == []


@pytest.mark.parametrize("mode", MODES)
def test_news_of_one_tenant_about_the_others_message_changes_nothing(
    world: World, accounts: dict[str, ProviderAccount], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Signed rightly, at the right address, but naming an attempt and a message of the other tenant."""
    from messaging.pipeline.receipt import apply_pending

    take_off(mode, monkeypatch)
    with tenant_scope(world.a.tenant.id):
        attempt = Attempt.objects.filter(state=Attempt.State.ACCEPTED)[0]
        attempt.provider_message_id = f"SM{uuid4().hex}"
        attempt.save()
        before = list(Message.objects.order_by("id").values_list("id", "status"))
    form = {
        "AccountSid": f"AC{'b' * 32}",
        "MessageSid": attempt.provider_message_id,
        "MessageStatus": "failed",
        "ErrorCode": "21610",
        "From": world.b.canaries.number(80),
        "To": world.a.canaries.number(0),
    }
    witness.forget()
    assert _post(accounts["b"], "status", form, token="b" * 32, query=f"?a={attempt.id}") == 204
    assert list(foreign_writes(witness.writes(), world.a)) == []
    apply_pending()
    with tenant_scope(world.a.tenant.id):
        assert list(Message.objects.order_by("id").values_list("id", "status")) == before
