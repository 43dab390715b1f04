"""The sealer: puts what was recorded into the tenant's log, and signs how the log stands then.

Records are noted in ``PendingSeal`` by the transaction that writes them, so whatever has committed is found, in whatever
order. One sealer at a time works on a tenant; each checkpoint ends with the heads of all chains.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone

from common.planner import by_index
from consent.canonical import head_bucket, heads_text
from consent.daily import note_day
from consent.heads import Head, HeadTree, bucket_hash
from consent.merkle import TILE, TiledFrontier, leaf_hash
from consent.models import Checkpoint, HeadBucket, LedgerKey, PendingSeal
from consent.notes import Signer, checkpoint_text, origin_of, public_key_line
from tenants.scope import current_tenant_id

__all__ = ["LedgerBroken", "lock_log", "seal", "signer", "try_lock_log"]

AT_ONCE: Final = 50_000
"""So many records in one checkpoint, about."""
_ID_BYTES: Final = 16


class LedgerBroken(RuntimeError):
    """The log does not fit to the records: somebody changed one of them."""


class _Sealed(NamedTuple):
    id: str
    head: Head


def signer() -> Signer:
    """Who signs the checkpoints."""
    if not settings.LEDGER_SIGNING_KEY:
        raise ImproperlyConfigured("Set LEDGER_SIGNING_KEY: the consent ledger cannot be signed without it.")
    return Signer.from_setting(settings.LEDGER_SIGNING_KEY)


def lock_log() -> None:
    """Wait until no other sealer works on the active tenant, until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"ledger:{current_tenant_id()}"])


def try_lock_log() -> bool:
    """The same without waiting; whether it was free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 1))", [f"ledger:{current_tenant_id()}"])
        return bool(cursor.fetchone()[0])


def seal(*, even_if_nothing_is_new: bool = False) -> Checkpoint | None:
    """Seal the oldest records that wait, and sign; the caller holds the lock of the log. None when nothing waits.

    ``even_if_nothing_is_new``: the checkpoint says of what moment it is, so a fresh one can be wanted for that alone.
    """
    waiting, records = _take()
    if not records and not even_if_nothing_is_new:
        return None
    sign = signer()
    before = Checkpoint.objects.order_by("-size").first()
    frontier = _frontier_of(before)
    _append(frontier, [(one.head.leaf, one.id) for one in records])
    _move_heads(one.head for one in records)
    heads = heads_text(log=current_tenant_id(), root=_heads_root(), position=frontier.size, at=(now := timezone.now()))
    _append(frontier, [(leaf_hash(heads.encode()), None)])
    origin = origin_of(current_tenant_id())
    note = sign.sign(checkpoint_text(origin=origin, size=frontier.size, root=frontier.root()))
    key = LedgerKey(public_key=public_key_line(sign.public_key))
    LedgerKey.objects.bulk_create([key], ignore_conflicts=True)
    PendingSeal.objects.filter(id__in=waiting).delete()
    sealed = Checkpoint.objects.create(
        size=frontier.size, note=note, heads=heads, frontier=b"".join(frontier.peaks), created_at=now
    )
    if records:
        note_day(sealed)
    return sealed


def _frontier_of(checkpoint: Checkpoint | None) -> TiledFrontier:
    if checkpoint is None:
        return TiledFrontier()
    peaks = bytes(checkpoint.frontier)
    return TiledFrontier(checkpoint.size, [peaks[at : at + 32] for at in range(0, len(peaks), 32)])


_RECORDS: Final = """
SELECT r.id::text, r.subject, r.n, r.leaf FROM unnest(%s::uuid[]) WITH ORDINALITY AS i(id, nth)
JOIN consent_consentrecord r ON r.tenant_id = %s AND r.id = i.id ORDER BY i.nth
"""


def _take() -> tuple[list[UUID], list[_Sealed]]:
    """What waits longest, in the order in which it was written: a number's entries were never written at one time."""
    waiting: list[UUID] = []
    ids: list[str] = []
    for pending in PendingSeal.objects.order_by("created_at", "id").iterator(chunk_size=100):
        if ids and len(ids) + len(pending.records) // _ID_BYTES > AT_ONCE:
            break
        packed = bytes(pending.records)
        ids += [str(UUID(bytes=packed[at : at + _ID_BYTES])) for at in range(0, len(packed), _ID_BYTES)]
        waiting.append(pending.id)
    with connection.cursor() as cursor:
        cursor.execute(_RECORDS, [ids, current_tenant_id()])
        found = [_Sealed(row[0], Head(bytes(row[1]), row[2], bytes(row[3]))) for row in cursor.fetchall()]
    if len(found) != len(ids):
        raise LedgerBroken(f"{len(ids) - len(found)} consent records are gone before they were sealed.")
    return waiting, found


_LEAVES: Final = """
INSERT INTO consent_ledgerleaf (tenant_id, position, hash, record_id)
SELECT %s, %s + nth - 1, hash, record_id
FROM unnest(%s::bytea[], %s::uuid[]) WITH ORDINALITY AS leaves(hash, record_id, nth)
"""
_TILES: Final = """
INSERT INTO consent_ledgertile (tenant_id, tile, hash) SELECT %s, tile, hash FROM unnest(%s::bigint[], %s::bytea[]) AS t(tile, hash)
"""


def _append(frontier: TiledFrontier, leaves: Sequence[tuple[bytes, str | None]]) -> None:
    begin = frontier.size
    tiles: dict[int, bytes] = {}
    for leaf, _ in leaves:
        complete = frontier.append(leaf)
        if complete is not None:
            tiles[frontier.size // TILE - 1] = complete
    with connection.cursor() as cursor:
        hashes, ids = [leaf for leaf, _ in leaves], [record_id for _, record_id in leaves]
        cursor.execute(_LEAVES, [current_tenant_id(), begin, hashes, ids])
        if tiles:
            cursor.execute(_TILES, [current_tenant_id(), list(tiles), list(tiles.values())])


_HEADS: Final = """
INSERT INTO consent_ledgerhead (tenant_id, bucket, subject, n, leaf)
SELECT %s, bucket, subject, n, leaf
FROM unnest(%s::int[], %s::bytea[], %s::int[], %s::bytea[]) AS heads(bucket, subject, n, leaf)
ON CONFLICT (tenant_id, bucket, subject) DO UPDATE SET n = excluded.n, leaf = excluded.leaf
WHERE consent_ledgerhead.n < excluded.n
"""
_BUCKETS: Final = """
SELECT h.subject, h.n, h.leaf FROM unnest(%s::smallint[]) AS b(bucket)
JOIN consent_ledgerhead h ON h.tenant_id = %s AND h.bucket = b.bucket
"""
_PUT_BUCKETS: Final = """
INSERT INTO consent_headbucket (tenant_id, bucket, hash)
SELECT %s, bucket, hash FROM unnest(%s::int[], %s::bytea[]) AS b(bucket, hash)
ON CONFLICT (tenant_id, bucket) DO UPDATE SET hash = excluded.hash
"""


def _move_heads(heads: Iterable[Head]) -> None:
    newest = {head.subject: head for head in sorted(heads)}
    if not newest:
        return
    tenant_id = current_tenant_id()
    subjects, counts, leaves = zip(*newest.values(), strict=True)
    places = [head_bucket(subject) for subject in subjects]
    changed: dict[int, list[Head]] = {place: [] for place in places}
    # The planner does not know that a bucket holds few: it would read all heads for each.
    with connection.cursor() as cursor, by_index():
        cursor.execute(_HEADS, [tenant_id, places, list(subjects), list(counts), list(leaves)])
        cursor.execute(_BUCKETS, [list(changed), tenant_id])
        for subject, n, leaf in cursor:
            head = Head(bytes(subject), n, bytes(leaf))
            changed[head_bucket(head.subject)].append(head)
        hashes = [bucket_hash(inside) for inside in changed.values()]
        cursor.execute(_PUT_BUCKETS, [tenant_id, list(changed), hashes])


def _heads_root() -> bytes:
    return HeadTree({bucket: bytes(value) for bucket, value in HeadBucket.objects.values_list("bucket", "hash")}).root
