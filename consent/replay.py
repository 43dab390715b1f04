"""Replaying the active tenant's ledger: every entry, chain, leaf, checkpoint and the state they lead to.

Nothing that is stored as a hash is believed: each is computed again, by the Python of ``consent.canonical``, from what it
is the hash of. What an owner of the database changes, triggers off, shows here.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final
from uuid import UUID

from django.db import connection

from consent.canonical import details_commitment, entry_text, head_bucket, heads_text, subject_of
from consent.heads import Head, HeadTree, bucket_hash
from consent.ledger import DERIVED
from consent.merkle import TILE, TiledFrontier, leaf_hash
from consent.models import Checkpoint, HeadBucket, LedgerHead, LedgerTile
from consent.verifier import Checkpoint as Signed
from consent.verifier import Invalid, read_checkpoint
from tenants.scope import current_tenant_id

__all__ = ["problems"]

_PAGE: Final = 5_000

_RECORDS: Final = """
SELECT id, act, purpose, source, actor_id, occurred_at, recorded_at, subject, n, prev, details, leaf, number, salt, wording,
       evidence::text
FROM consent_consentrecord WHERE tenant_id = %s AND (number, n) > (%s, %s) ORDER BY number, n LIMIT %s
"""


def problems(keys: Collection[bytes], held: Collection[str] = ()) -> Iterator[str]:
    """What does not hold. ``keys`` are the public keys that may have signed, ``held`` checkpoints kept elsewhere."""
    yield from _records()
    yield from _counterparts()
    yield from _Log(keys, held).problems()
    yield from _state()


def _rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _records() -> Iterator[str]:
    """Each entry is the hash of what its record says, and follows the one before it."""
    number, n, leaf, subject = "", 0, b"", b""
    while page := _rows(_RECORDS, current_tenant_id(), number, n, _PAGE):
        for row in page:
            if row[12] != number:
                number, n, leaf, subject = str(row[12]), 0, b"", b""
            yield from _record(row, n, leaf, subject)
            n, leaf, subject = int(str(row[8])), _bytes(row[11]), _bytes(row[7])


def _record(row: tuple[Any, ...], n: int, leaf: bytes, subject: bytes) -> Iterator[str]:
    record_id: UUID
    record_id, act, purpose, source, actor, occurred, recorded, _, nth, _, _, stored, number, _, wording, evidence = row
    own, prev, details, salt = (_bytes(row[place]) for place in (7, 9, 10, 13))
    text = entry_text(
        log=current_tenant_id(),
        record_id=record_id,
        act=act,
        purpose=purpose,
        source=source,
        actor=actor,
        occurred_at=occurred,
        recorded_at=recorded,
        subject=own,
        n=nth,
        prev=prev,
        details=details,
    )
    if leaf_hash(text.encode()) != _bytes(stored):
        yield f"record {record_id}: its hash is not that of what it says"
    if nth != n + 1 or prev != leaf or subject not in (b"", own):
        yield f"record {record_id}: it does not follow the one before it"
    if not salt and str(number).startswith("-"):
        return
    if subject_of(salt=salt, number=str(number)) != own:
        yield f"record {record_id}: it is about another number"
    if details_commitment(salt=salt, record_id=record_id, wording=str(wording), evidence=str(evidence)) != details:
        yield f"record {record_id}: wording or evidence is not what was recorded"


_UNSEALED: Final = """
WITH pending AS (
    SELECT encode(substr(p.records, 1 + 16 * i, 16), 'hex')::uuid AS id
    FROM consent_pendingseal p, generate_series(0, octet_length(p.records) / 16 - 1) i WHERE p.tenant_id = %(tenant)s
)
SELECT 'record ' || r.id || ': it is neither in the log nor waits for it' FROM consent_consentrecord r
WHERE r.tenant_id = %(tenant)s
  AND NOT EXISTS (SELECT FROM consent_ledgerleaf l WHERE l.tenant_id = r.tenant_id AND l.record_id = r.id)
  AND NOT EXISTS (SELECT FROM pending WHERE pending.id = r.id)
UNION ALL
SELECT 'record ' || p.id || ': it waited to be sealed and is gone' FROM pending p
WHERE NOT EXISTS (SELECT FROM consent_consentrecord r WHERE r.tenant_id = %(tenant)s AND r.id = p.id)
UNION ALL
SELECT 'entry ' || l.position || ': its record is gone or another one' FROM consent_ledgerleaf l
LEFT JOIN consent_consentrecord r ON r.tenant_id = l.tenant_id AND r.id = l.record_id
WHERE l.tenant_id = %(tenant)s AND l.record_id IS NOT NULL AND l.hash IS DISTINCT FROM r.leaf
"""
_STATE: Final = f"""
WITH derived AS ({DERIVED}), stored AS (
    SELECT tenant_id, number, purpose, act, since, record_id FROM consent_consentstate WHERE tenant_id = %(tenant)s
)
SELECT 'state of ' || number || ', ' || purpose || ': the records say otherwise'
FROM ((TABLE derived EXCEPT TABLE stored) UNION (TABLE stored EXCEPT TABLE derived)) AS differs
UNION ALL
SELECT 'suppression ' || s.id || ': no opt-out of this number is recorded' FROM consent_suppression s
LEFT JOIN consent_consentrecord r ON r.tenant_id = s.tenant_id AND r.id = s.record_id
WHERE s.tenant_id = %(tenant)s AND (r.act IS DISTINCT FROM 'opt_out' OR (r.number <> s.number AND r.salt <> ''))
UNION ALL
SELECT 'record ' || r.id || ': the number opted out and was not suppressed by it' FROM consent_consentrecord r
WHERE r.tenant_id = %(tenant)s AND r.purpose = 'all' AND r.act = 'opt_out' AND r.salt <> ''
  AND NOT EXISTS (SELECT FROM consent_suppression s WHERE s.tenant_id = r.tenant_id AND s.number = r.number
                  AND (s.record_id = r.id
                       OR (s.record_id < r.id AND (s.lifted_at IS NULL OR s.lifted_at > r.recorded_at))))
"""  # noqa: S608


def _counterparts() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_UNSEALED, {"tenant": current_tenant_id()})
        yield from (text for (text,) in cursor.fetchall())


def _state() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_STATE, {"tenant": current_tenant_id()})
        yield from (text for (text,) in cursor.fetchall())


_LEAVES: Final = """
SELECT l.position, l.hash, r.subject, r.n FROM consent_ledgerleaf l
LEFT JOIN consent_consentrecord r ON r.tenant_id = l.tenant_id AND r.id = l.record_id
WHERE l.tenant_id = %s AND l.position >= %s ORDER BY l.position LIMIT %s
"""


class _Log:
    """Goes through the leaves from the first one, as the sealer did."""

    def __init__(self, keys: Collection[bytes], held: Collection[str]) -> None:
        self.keys = list(keys)
        self.held = list(held)
        self.frontier = TiledFrontier()
        self.heads: dict[int, dict[bytes, Head]] = {}
        self.changed: set[int] = set()
        self.tree = HeadTree({})
        self.checkpoints = {one.size: one for one in Checkpoint.objects.all()}
        self.tiles = {tile: bytes(value) for tile, value in LedgerTile.objects.values_list("tile", "hash")}
        self.roots: dict[int, bytes] = {}

    def problems(self) -> Iterator[str]:
        notes = [self._read(note, "a checkpoint that was kept elsewhere") for note in self.held]
        wanted = {one.size for one, _ in notes if one}
        while page := _rows(_LEAVES, current_tenant_id(), self.frontier.size, _PAGE):
            for position, value, subject, n in page:
                if position != self.frontier.size:
                    yield f"entry {self.frontier.size}: it is missing"
                    return
                yield from self._leaf(_bytes(value), Head(_bytes(subject), n, _bytes(value)) if subject else None)
                if self.frontier.size in wanted:
                    self.roots[self.frontier.size] = self.frontier.root()
        yield from self._end()
        for one, problem in notes:
            yield from problem
            if one and self.roots.get(one.size) != one.root:
                yield f"the log is not the one of the checkpoint with {one.size} entries that was kept elsewhere"

    def _leaf(self, value: bytes, head: Head | None) -> Iterator[str]:
        tile = self.frontier.append(value)
        if tile is not None and self.tiles.pop(self.frontier.size // TILE - 1, None) != tile:
            yield f"tile {self.frontier.size // TILE - 1}: its hash is not that of its entries"
        if head:
            bucket = self.heads.setdefault(head_bucket(head.subject), {})
            if head.subject not in bucket or bucket[head.subject].n < head.n:
                bucket[head.subject] = head
                self.changed.add(head_bucket(head.subject))
            return
        stored = self.checkpoints.pop(self.frontier.size, None)
        if stored is None:
            yield f"entry {self.frontier.size - 1}: no checkpoint follows"
            return
        yield from self._checkpoint(stored, value)

    def _checkpoint(self, stored: Checkpoint, last: bytes) -> Iterator[str]:
        for bucket in self.changed:
            self.tree.put(bucket, bucket_hash(self.heads[bucket].values()))
        self.changed.clear()
        heads = heads_text(log=current_tenant_id(), root=self.tree.root, position=stored.size - 1, at=stored.created_at)
        if heads != stored.heads or leaf_hash(heads.encode()) != last:
            yield f"checkpoint {stored.size}: its heads are not those of the entries before it"
        signed, wrong = self._read(stored.note, f"checkpoint {stored.size}")
        yield from wrong
        if signed and (signed.size, signed.root) != (stored.size, self.frontier.root()):
            yield f"checkpoint {stored.size}: it is not about the entries before it"
        if bytes(stored.frontier) != b"".join(self.frontier.peaks):
            yield f"checkpoint {stored.size}: the next append would not follow it"

    def _read(self, note: str, name: str) -> tuple[Signed | None, list[str]]:
        try:
            signed = read_checkpoint(note, self.keys)
        except (Invalid, ValueError) as error:
            return None, [f"{name}: {error}"]
        if signed.origin != f"consent-ledger/{current_tenant_id()}":
            return None, [f"{name}: it is about another log"]
        return signed, []

    def _end(self) -> Iterator[str]:
        yield from (f"checkpoint {size}: its entries are missing" for size in self.checkpoints)
        yield from (f"tile {tile}: its entries are missing" for tile in self.tiles)
        if self.frontier.size and (self.changed or not Checkpoint.objects.filter(size=self.frontier.size).exists()):
            yield "the last entries are not signed"
        heads = {(bucket, Head(bytes(subject), n, bytes(leaf))) for bucket, subject, n, leaf in _stored_heads()}
        if heads != {(bucket, head) for bucket, inside in self.heads.items() for head in inside.values()}:
            yield "the stored heads are not those of the log"
        buckets = {bucket: bytes(value) for bucket, value in HeadBucket.objects.values_list("bucket", "hash")}
        if buckets != {bucket: bucket_hash(inside.values()) for bucket, inside in self.heads.items()}:
            yield "the stored hashes of heads are not those of the log"


def _stored_heads() -> list[tuple[int, Any, int, Any]]:
    return list(LedgerHead.objects.values_list("bucket", "subject", "n", "leaf"))


def _bytes(value: object) -> bytes:
    return bytes(value) if value is not None else b""  # type: ignore[call-overload]
