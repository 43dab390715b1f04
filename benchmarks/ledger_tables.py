"""What the ledger is measured beside: a table without chains, and one with a single chain per tenant."""

from typing import Final

__all__ = ["DROP", "NAIVE", "PLAIN", "TABLES"]

_COLUMNS: Final = """
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL, number varchar(16) NOT NULL, purpose varchar(14) NOT NULL,
    act varchar(8) NOT NULL, source varchar(20) NOT NULL, wording text NOT NULL, evidence jsonb NOT NULL, actor_id uuid,
    occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL
"""
_WALL: Final = """
ALTER TABLE {table} ADD UNIQUE (tenant_id, id);
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON {table} USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
"""
DROP: Final = "DROP TABLE IF EXISTS bench_plain; DROP TABLE IF EXISTS bench_chain;"
TABLES: Final = (
    f"CREATE TABLE bench_plain ({_COLUMNS});"
    "CREATE INDEX ON bench_plain (tenant_id, number, id);"
    f"CREATE TABLE bench_chain ({_COLUMNS}, n bigint NOT NULL, hash bytea NOT NULL);"
    "CREATE UNIQUE INDEX ON bench_chain (tenant_id, n);"
    "CREATE INDEX ON bench_chain (tenant_id, number, id);"
    + _WALL.format(table="bench_plain")
    + _WALL.format(table="bench_chain")
)

_NEW: Final = """
json_to_recordset(%(rows)s) AS r(id uuid, number text, purpose text, act text, source text, wording text, evidence jsonb,
                                 actor_id uuid, occurred_at timestamptz)
"""
_NAMES: Final = "id, number, purpose, act, source, wording, evidence, actor_id, occurred_at"
PLAIN: Final = (
    f"INSERT INTO bench_plain (tenant_id, {_NAMES}, recorded_at) SELECT %(tenant)s, {_NAMES}, %(now)s FROM {_NEW}"
)
NAIVE: Final = f"""
SELECT pg_advisory_xact_lock(hashtextextended(%(tenant)s::text, 9));
WITH last AS (SELECT n, hash FROM bench_chain WHERE tenant_id = %(tenant)s ORDER BY n DESC LIMIT 1)
INSERT INTO bench_chain (tenant_id, {_NAMES}, recorded_at, n, hash)
SELECT %(tenant)s, {_NAMES}, %(now)s, coalesce((SELECT n FROM last), 0) + 1,
       sha256(coalesce((SELECT hash FROM last), ''::bytea) || convert_to(r::text, 'UTF8'))
FROM {_NEW}
"""
