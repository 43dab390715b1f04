"""Gives the tests a PostgreSQL and a Valkey of their own, unless `DATABASE_URL`/`REDIS_URL` are set.

Loaded with `-p`, because the settings are read before any conftest. Under xdist the controller
starts the servers and its workers inherit their addresses.
"""

import os
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from smsplatform.embedded.errors import EmbeddedError
from smsplatform.embedded.temporary import temporary_servers


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set up the environment before pytest-django looks at it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        if "REDIS_URL" in os.environ:
            os.environ["REDIS_URL"] = _database_of_worker(os.environ["REDIS_URL"], worker)
        return
    options = early_config.known_args_namespace
    if options.help or options.version:
        return
    servers = ExitStack()
    early_config.add_cleanup(servers.close)
    try:
        servers.enter_context(temporary_servers())
    except EmbeddedError as error:
        raise pytest.UsageError(str(error)) from error


def _database_of_worker(url: str, worker: str) -> str:
    """Parallel test processes must not see each other's keys: worker gw3 gets database 4."""
    parts = urlsplit(url)
    first = int(parts.path.strip("/") or 0)
    return parts._replace(path=f"/{first + 1 + int(worker.removeprefix('gw'))}").geturl()
