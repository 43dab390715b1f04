"""What the migration 0002_ledger does in SQL: chain the records there are, and guard those that come."""

from tenants.operations import RUNTIME_ROLE

LEAF = (
    'sha256(\'\\x00\'::bytea || (\'{"act":"\' || act || \'","actor":\' || coalesce(\'"\' || actor_id::text || \'"\', '
    '\'null\') || \',"at":\' || (extract(epoch from occurred_at AT TIME ZONE \'UTC\') * 1000000)::bigint::text '
    '|| \',"details":"\' || encode(details, \'hex\') || \'","id":"\' || id::text || \'","log":"\' || '
    'tenant_id::text || \'","n":\' || n::text || \',"prev":"\' || encode(prev, \'hex\') || \'","purpose":"\' || '
    'purpose || \'","recorded":\' || (extract(epoch from recorded_at AT TIME ZONE \'UTC\') * '
    '1000000)::bigint::text || \',"source":"\' || source || \'","subject":"\' || encode(subject, \'hex\') || '
    '\'","v":1}\')::bytea)'
)
"""As it was then (consent.models.entry_sql): a migration does not follow the code."""

CHAIN_WHAT_IS_THERE = f"""
CREATE TEMPORARY TABLE chain ON COMMIT DROP AS
    SELECT tenant_id, id, number, wording, evidence::text AS evidence,
           row_number() OVER w AS n, lag(id) OVER w AS prev_id
    FROM consent_consentrecord WINDOW w AS (PARTITION BY tenant_id, number ORDER BY id);
CREATE INDEX ON chain (n);
CREATE TEMPORARY TABLE salts ON COMMIT DROP AS
    SELECT tenant_id, number, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) AS salt
    FROM chain WHERE n = 1;
ANALYZE chain;
ANALYZE salts;
DO $$
BEGIN
    -- Each round gives every number its next link, for that one holds the hash of the link before.
    FOR step IN 1 .. (SELECT coalesce(max(n), 0) FROM chain) LOOP
        UPDATE consent_consentrecord r
        SET n = c.n, prev = coalesce(p.leaf, ''), salt = s.salt,
            subject = sha256('subject/1'::bytea || s.salt || convert_to(c.number, 'UTF8')),
            details = sha256('details/1'::bytea || s.salt || uuid_send(c.id) || sha256(convert_to(c.wording, 'UTF8'))
                             || sha256(convert_to(c.evidence, 'UTF8')))
        FROM chain c
        JOIN salts s ON s.tenant_id = c.tenant_id AND s.number = c.number
        LEFT JOIN LATERAL (SELECT {LEAF} AS leaf FROM consent_consentrecord b WHERE b.id = c.prev_id) p ON true
        WHERE c.n = step AND r.id = c.id;
    END LOOP;
END $$;
INSERT INTO consent_pendingseal (id, tenant_id, records, created_at)
SELECT gen_random_uuid(), tenant_id, string_agg(uuid_send(id), ''::bytea ORDER BY id),
       clock_timestamp() + part * interval '1 microsecond'
FROM (SELECT tenant_id, id, (row_number() OVER (PARTITION BY tenant_id ORDER BY id) - 1) / 5000 AS part FROM chain) parts
GROUP BY tenant_id, part ORDER BY tenant_id, part;
DROP TABLE chain, salts;
"""

KEEP_KEYS = f"REVOKE UPDATE, DELETE, TRUNCATE ON consent_ledgerkey FROM {RUNTIME_ROLE}"

GUARDED = ("consent_ledgerleaf", "consent_ledgertile", "consent_checkpoint", "consent_ledgerkey")
"""Nothing of these is ever changed."""

GUARD = f"""
CREATE FUNCTION ledger_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The consent ledger is only ever added to: no %% on %%.', TG_OP, TG_TABLE_NAME;
END $$;
CREATE FUNCTION ledger_erases_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The person goes, the entry stays: what the leaf is made of cannot change.
    IF left(NEW.number, 1) = '-' AND NEW.wording = '' AND NEW.evidence = '{{}}' AND NEW.salt = ''
       AND (NEW.id, NEW.tenant_id, NEW.purpose, NEW.act, NEW.source, NEW.actor_id, NEW.occurred_at, NEW.recorded_at,
            NEW.n, NEW.prev, NEW.subject, NEW.details)
           IS NOT DISTINCT FROM
           (OLD.id, OLD.tenant_id, OLD.purpose, OLD.act, OLD.source, OLD.actor_id, OLD.occurred_at, OLD.recorded_at,
            OLD.n, OLD.prev, OLD.subject, OLD.details)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A consent record is never changed; only its person can be erased.';
END $$;
CREATE TRIGGER ledger_erase BEFORE UPDATE ON consent_consentrecord FOR EACH ROW EXECUTE FUNCTION ledger_erases_only();
ALTER TABLE consent_consentrecord ENABLE ALWAYS TRIGGER ledger_erase;
CREATE TRIGGER ledger_keep BEFORE DELETE ON consent_consentrecord FOR EACH ROW EXECUTE FUNCTION ledger_is_kept();
ALTER TABLE consent_consentrecord ENABLE ALWAYS TRIGGER ledger_keep;
GRANT UPDATE (number, wording, evidence, salt) ON consent_consentrecord TO {RUNTIME_ROLE};
""".replace("%%", "%") + "".join(
    f"CREATE TRIGGER ledger_keep BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_is_kept();"
    f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER ledger_keep;"
    for table in GUARDED
) + "".join(
    f"CREATE TRIGGER ledger_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_kept();"
    f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER ledger_whole;"
    for table in (*GUARDED, "consent_consentrecord")
)

UNGUARD = "DROP FUNCTION ledger_is_kept() CASCADE; DROP FUNCTION ledger_erases_only() CASCADE;"
