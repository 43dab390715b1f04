"""Rules about the code base that no linter knows."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from common.lanes import LANES
from smsplatform.queues import ROUTES
from smsplatform.schedule import SCHEDULE
from tenants.access import declared_permission
from tenants.permissions import PERMISSIONS, Permission, Role

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("smsplatform", "analytics", "campaigns", "support", "messaging", "contacts", "consent", "tenants", "common")

PUBLIC_ROUTES = {
    "tenant_switch": "a signed-in user chooses a tenant here, before any tenant is active",
    "invitation": "whoever has the link of an invitation is not a member yet",
    "invitation_log_out": "whoever has the link of an invitation is not a member yet",
    "tenant_new": "a signed-in user makes a tenant of their own",
    "preferences": "people who are texted choose what they get, by a link that only their phone has",
    "ledger_verifier": "whoever checks an evidence pack is no member",
    "ledger_keys": "whoever checks an evidence pack is no member",
    "account_login": "signing in",
    "account_signup": "a new person makes an account",
    "account_email_verification_sent": "the code that was mailed to a new address",
    "account_logout": "signing out",
    "mfa_authenticate": "signing in: the second step",
    "mfa_login_webauthn": "signing in: a passkey instead of a password",
    "account_reauthenticate": "a signed-in user confirms that it is them",
    "mfa_reauthenticate": "a signed-in user confirms that it is them",
    "mfa_reauthenticate_webauthn": "a signed-in user confirms that it is them",
    "account": "own account",
    "account_name": "own account",
    "account_address": "own account",
    "account_address_confirm": "own account",
    "account_session_end": "own account",
    "account_sessions_end": "own account",
    "second_step_needed": "own account: why nothing else opens",
    "mfa_index": "own second steps",
    "mfa_activate_totp": "own second steps",
    "mfa_deactivate_totp": "own second steps",
    "mfa_view_recovery_codes": "own second steps",
    "mfa_generate_recovery_codes": "own second steps",
    "mfa_add_webauthn": "own second steps",
    "mfa_edit_webauthn": "own second steps",
    "mfa_remove_webauthn": "own second steps",
    "account_change_password": "own password",
    "account_set_password": "own password",
    "account_reset_password": "own password",
    "account_reset_password_done": "own password",
    "account_reset_password_from_key": "own password, by a mailed key",
    "account_reset_password_from_key_done": "own password",
    "callback_inbound": "signed by the provider",
    "callback_status": "signed by the provider",
    "phones": "simulated phones, local only",
    "phone": "simulated phones, local only",
    "phone_reply": "simulated phones, local only",
    "phone_script": "simulated phones, local only",
    "phones_weather": "simulated phones, local only",
    "livez": "load balancer",
    "readyz": "load balancer",
}


def _modules() -> Iterator[Path]:
    for package in (*PACKAGES, "tests", "benchmarks"):
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


def _routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str, Callable[..., object]]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _routes(entry, prefix + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield prefix + str(entry.pattern), entry.name or "", entry.callback


def _our_routes() -> list[tuple[str, str, Callable[..., object]]]:
    return [route for route in _routes(get_resolver()) if not route[0].startswith("admin/")]


@pytest.mark.parametrize(("path", "name", "view"), _our_routes(), ids=[path for path, _, _ in _our_routes()])
def test_each_route_declares_who_may_call_it(path: str, name: str, view: Callable[..., object]) -> None:
    declared = declared_permission(view)
    assert declared is not None, f"{path} declares no permission"
    if isinstance(declared, str):
        assert name in PUBLIC_ROUTES, f"{path} is public without being listed here"


def test_no_public_route_is_listed_that_does_not_exist() -> None:
    public = {name for _, name, view in _our_routes() if isinstance(declared_permission(view), str)}
    assert public == set(PUBLIC_ROUTES)


def test_each_role_may_do_all_that_the_one_below_may() -> None:
    ranked = [PERMISSIONS[role] for role in (Role.VIEWER, Role.AGENT, Role.MANAGER, Role.OWNER)]
    assert all(lower < higher for lower, higher in pairwise(ranked))
    assert ranked[-1] == frozenset(Permission)


@pytest.mark.parametrize("path", list(_modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize("path", [*(ROOT / "assets").rglob("*.*s"), *(ROOT / "templates").rglob("*.html")], ids=str)
def test_style_sheets_scripts_and_templates_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize("path", list(_modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_named_for_an_idea(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "misc", "util", "helper"}


def test_every_package_is_known_to_the_linters() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert apps == set(PACKAGES)
    assert set(config["importlinter"]["root_packages"]) == set(PACKAGES)
    assert set(config["mypy"]["packages"]) == set(PACKAGES)


def _tasks() -> dict[str, object]:
    from smsplatform.celery import app

    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def test_each_task_has_a_queue_that_is_a_lane() -> None:
    assert {route["queue"] for route in ROUTES.values()} <= set(LANES)
    assert set(ROUTES) == set(_tasks())


def test_each_scheduled_job_is_a_task() -> None:
    assert {entry["task"] for entry in SCHEDULE.values()} <= set(_tasks())


def test_each_lane_has_a_worker_in_the_compose_file() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for lane in LANES:
        assert re.search(rf"worker-{lane}:", compose), lane


def test_tasks_take_ids_only() -> None:
    """A task's arguments are text: no rows, no bodies, no numbers travel through the broker."""
    for path in ROOT.glob("*/tasks.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any("shared_task" in ast.unparse(d) for d in node.decorator_list):
                for argument in node.args.args:
                    assert argument.arg.endswith("_id") or argument.arg == "lane", (
                        f"{path}: {node.name}({argument.arg})"
                    )


def test_each_setting_from_the_environment_is_in_the_example() -> None:
    source = (ROOT / "smsplatform" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", source))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    missing = {name for name in names if not re.search(rf"^#? ?{name}=", example, re.MULTILINE)}
    assert missing == set()


def test_psycopg2_is_the_driver() -> None:
    """With psycopg 3 installed Django would silently prefer it, and COPY would work differently."""
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    assert not is_psycopg3


def test_the_example_never_turns_debug_on() -> None:
    assert settings.DEBUG is False
    assert not re.search(
        r"^DEBUG=(1|true)", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE | re.IGNORECASE
    )


def test_every_process_sends_tasks_through_our_broker() -> None:
    """Without our Celery app loaded, a task sent by a web process would wait for another broker in vain."""
    from celery import current_app

    assert current_app.main == "smsplatform"
    assert current_app.conf.broker_url == settings.REDIS_URL
