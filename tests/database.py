"""The test database: made by the owner, used by the runtime role."""

import secrets

from django.db import connection

from tenants.operations import RUNTIME_ROLE

__all__ = ["create", "destroy"]

_runtime_options: dict[str, object] = {}


def create(*, worker: str) -> None:
    """Create and migrate a fresh database as its owner, then reconnect as the runtime role."""
    options = connection.settings_dict["OPTIONS"]
    _runtime_options.update(options)
    connection.close()
    options["runtime"] = False
    options.pop("assume_role", None)
    connection.settings_dict["TEST"]["NAME"] = f"test_{worker or 'main'}_{secrets.token_hex(4)}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    with connection.cursor() as cursor:
        # Transactional tests empty all tables; the product itself may not.
        cursor.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {RUNTIME_ROLE}")
    _use(_runtime_options)


def destroy() -> None:
    """Drop the database again."""
    name = connection.settings_dict["NAME"]
    options = dict(_runtime_options) | {"runtime": False}
    options.pop("assume_role", None)
    _use(options)
    connection.creation.destroy_test_db(name, verbosity=0)


def _use(options: dict[str, object]) -> None:
    connection.close()
    connection.settings_dict["OPTIONS"].clear()
    connection.settings_dict["OPTIONS"].update(options)
