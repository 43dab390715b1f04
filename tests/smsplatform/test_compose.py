"""The compose file hands each service what it needs and no more, and the bounds agree with the proxy's."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from smsplatform.middleware import MEGABYTE
from smsplatform.queues import ROUTES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
WORKERS = [name for name in SERVICES if name.startswith("worker-")]


def settings_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SERVICES[name].get("environment", {})
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_the_owners_password_reaches_only_the_database_and_the_migrations(name: str) -> None:
    assert "env_file" not in SERVICES[name], "it would hand over everything"
    knows = "COMPOSE_DATABASE_PASSWORD" in str(SERVICES[name])
    assert knows is (name in ("postgres", "migrate"))


@pytest.mark.parametrize("name", ["web", *WORKERS])
def test_what_works_on_data_logs_in_as_the_runtime_role(name: str) -> None:
    given = settings_of(name)
    assert given["DATABASE_URL"].startswith("postgresql://app_rw:")
    assert given["DATABASE_RUNTIME_ROLE"] == ""
    assert {"REDIS_URL", "PUBLIC_BASE_URL", "FIELD_ENCRYPTION_KEYS", "LEDGER_SIGNING_KEY"} <= set(given)


def test_only_the_web_signs_sessions() -> None:
    assert [name for name in SERVICES if "SECRET_KEY" in settings_of(name)] == ["web"]


def test_mail_is_sent_by_the_web_and_by_the_worker_of_its_queue() -> None:
    assert ROUTES["tenants.send_mails"]["queue"] == "background"
    assert [name for name in SERVICES if "EMAIL_URL" in settings_of(name)] == ["web", "worker-background"]


def test_beat_has_no_database() -> None:
    assert set(settings_of("beat")) == {"REDIS_URL", "LOG_LEVEL"}


def test_every_setting_that_a_service_gets_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    known = set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE))
    for name in ("web", "migrate", "beat", *WORKERS):
        assert set(settings_of(name)) <= known
    assert set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) <= known


def test_the_proxy_takes_what_the_product_takes() -> None:
    proxy = (ROOT / "docs" / "nginx.conf").read_text(encoding="utf-8")
    assert re.findall(r"client_max_body_size (\d+)m", proxy) == ["1", str(settings.IMPORT_MAX_BYTES // MEGABYTE + 1)]
    assert "proxy_request_buffering on" in proxy
