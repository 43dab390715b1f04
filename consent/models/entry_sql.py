"""The text of a ledger's entry, and its hash, as expressions over the columns of a consent record.

``consent.canonical.entry_text`` says the same in Python. PostgreSQL computes the hash itself, as a generated column: no
writer can store another one. Everything in it is ASCII without backslashes, so a cast to ``bytea`` takes it as it is.
"""

from typing import Final

__all__ = ["LEAF_SQL"]


def _microseconds(column: str) -> str:
    """``timezone`` first: what depends on the session's time zone is refused in a generated column."""
    return f"(extract(epoch from {column} AT TIME ZONE 'UTC') * 1000000)::bigint::text"


_ENTRY_SQL: Final = (
    "'{\"act\":\"' || act || '\",\"actor\":' || coalesce('\"' || actor_id::text || '\"', 'null')"
    f" || ',\"at\":' || {_microseconds('occurred_at')}"
    ' || \',"details":"\' || encode(details, \'hex\') || \'","id":"\' || id::text'
    ' || \'","log":"\' || tenant_id::text || \'","n":\' || n::text || \',"prev":"\' || encode(prev, \'hex\')'
    f' || \'","purpose":"\' || purpose || \'","recorded":\' || {_microseconds("recorded_at")}'
    ' || \',"source":"\' || source || \'","subject":"\' || encode(subject, \'hex\') || \'","v":1}\''
)
LEAF_SQL: Final = rf"sha256('\x00'::bytea || ({_ENTRY_SQL})::bytea)"
