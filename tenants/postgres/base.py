"""Django's PostgreSQL backend, refusing to run the product as a role that row-level security does not bind."""

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base

__all__ = ["DatabaseWrapper"]

_ROLE_FACTS = """
    SELECT r.rolname, r.rolsuper, r.rolbypassrls,
           EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.relowner = r.oid AND n.nspname = 'public')
    FROM pg_roles r WHERE r.rolname = current_user
"""


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks the role of every new connection; migrations lift the check (``OPTIONS["runtime"]`` is False)."""

    def get_connection_params(self) -> dict[str, object]:
        params: dict[str, object] = super().get_connection_params()
        params.pop("runtime", None)
        return params

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if self.settings_dict["OPTIONS"].get("runtime", True):
            self._refuse_powerful_role()

    def _refuse_powerful_role(self) -> None:
        with self.cursor() as cursor:
            cursor.execute(_ROLE_FACTS)
            name, is_super, bypasses, owns = cursor.fetchone()
        if is_super or bypasses or owns:
            raise ImproperlyConfigured(
                f"The database role {name!r} is not bound by row-level security (superuser: {is_super}, "
                f"BYPASSRLS: {bypasses}, owns tables: {owns}). Run as a role that owns nothing, such as app_rw."
            )
