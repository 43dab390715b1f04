"""What the migration 0012_append does in SQL: the statement of ``consent.appending``, as it was then, as a function."""

APPEND = """
CREATE FUNCTION consent_append(new_rows json, of_tenant uuid, recorded timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH added AS (
        INSERT INTO consent_consentrecord (tenant_id, id, number, purpose, act, source, wording, evidence, actor_id, occurred_at, recorded_at, n, prev, salt, subject, details)
        SELECT of_tenant, id, number, purpose, act, source, wording, evidence, actor_id, occurred_at, recorded, n, prev, salt,
               sha256('subject/1'::bytea || salt || convert_to(number, 'UTF8')),
               sha256('details/1'::bytea || salt || uuid_send(id) || sha256(convert_to(wording, 'UTF8'))
                      || sha256(convert_to(evidence::text, 'UTF8')))
        FROM (
            SELECT e.*, coalesce(last.n, 0) + 1 AS n, coalesce(last.leaf, '') AS prev,
                   coalesce(last.salt, sha256((SELECT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) || uuid_send(e.id))) AS salt
            FROM (SELECT * FROM json_to_recordset(new_rows) AS r(id uuid, number text, purpose text, act text, source text, wording text, evidence jsonb, actor_id uuid, occurred_at timestamptz)) e
            LEFT JOIN LATERAL (
                SELECT p.n, p.leaf, p.salt FROM consent_consentrecord p
                WHERE p.tenant_id = of_tenant AND p.number = e.number ORDER BY p.n DESC LIMIT 1
            ) last ON true
            ORDER BY e.number
            OFFSET 0
        ) chained
        RETURNING id
        )
        INSERT INTO consent_pendingseal (id, tenant_id, records, created_at)
        SELECT gen_random_uuid(), of_tenant, string_agg(uuid_send(id), ''::bytea ORDER BY id), clock_timestamp()
        FROM added HAVING count(*) > 0;
END $$;
"""
