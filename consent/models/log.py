"""The tenant's log of consent records: a Merkle tree (RFC 9162) with signed checkpoints.

What proves is only ever added: leaves, tiles, checkpoints, keys. Heads and their buckets are a projection of the records,
kept so that a checkpoint need not read them all; ``manage.py verify_ledger`` derives them again.
"""

from django.db import models
from django.utils import timezone

from consent.models.records import ConsentRecord
from tenants.owned import TenantForeignKey, TenantOwned, TenantOwnedInBulk

__all__ = [
    "Checkpoint",
    "DailyCheckpoint",
    "GivenCheckpoint",
    "HeadBucket",
    "LedgerHead",
    "LedgerKey",
    "LedgerLeaf",
    "LedgerTile",
    "PendingSeal",
]


class PendingSeal(TenantOwnedInBulk):
    """Records of one transaction that are not in the log yet; the sealer deletes the row as it puts them there."""

    records = models.BinaryField()
    """Their ids, 16 bytes each, in the order in which they are to stand in the log."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwnedInBulk.Meta):
        indexes = [models.Index(fields=["tenant", "created_at"], name="pending_seal_oldest")]

    def __str__(self) -> str:
        return f"{len(self.records) // 16} records"


class LedgerLeaf(TenantOwnedInBulk):
    """One leaf of the log: a record, or the heads that end a checkpoint."""

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "position")
    position = models.BigIntegerField()
    hash = models.BinaryField()
    record = TenantForeignKey(ConsentRecord, on_delete=models.PROTECT, null=True, related_name="+", enforced=False)

    class Meta(TenantOwnedInBulk.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "record"], condition=~models.Q(record=None), name="ledger_leaf_record_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.position)


class LedgerTile(TenantOwnedInBulk):
    """The root of 256 leaves that follow each other, so that a proof reads some hundreds of rows, not all."""

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "tile")
    tile = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta(TenantOwnedInBulk.Meta):
        pass

    def __str__(self) -> str:
        return str(self.tile)


class LedgerHead(TenantOwnedInBulk):
    """How far the chain of a subject goes in the log."""

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "bucket", "subject")
    bucket = models.PositiveSmallIntegerField()
    """Of the subject: behind the wall PostgreSQL finds equal numbers by an index, and no ranges of bytes."""
    subject = models.BinaryField()
    n = models.PositiveIntegerField()
    leaf = models.BinaryField()

    class Meta(TenantOwnedInBulk.Meta):
        pass

    def __str__(self) -> str:
        return str(self.n)


class HeadBucket(TenantOwnedInBulk):
    """The hash over the heads of the subjects that begin with the same bits."""

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "bucket")
    bucket = models.PositiveSmallIntegerField()
    hash = models.BinaryField()

    class Meta(TenantOwnedInBulk.Meta):
        pass

    def __str__(self) -> str:
        return str(self.bucket)


class Checkpoint(TenantOwned):
    """The log as it stood once, signed: whoever holds one can tell whether anything before it was changed since."""

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "size")
    size = models.BigIntegerField()
    note = models.TextField()
    """C2SP signed note, as it is given out."""
    heads = models.TextField()
    """The last entry before it."""
    frontier = models.BinaryField()
    """The roots of the complete subtrees, 32 bytes each: where the next append goes on."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        pass

    def __str__(self) -> str:
        return f"{self.size} entries"


class DailyCheckpoint(TenantOwned):
    """The newest checkpoint of a day (UTC): those that are listed, mailed and enclosed in evidence."""

    day = models.DateField()
    size = models.BigIntegerField()
    """Of the checkpoint."""
    mailed_at = models.DateTimeField(null=True)
    """When the mail to the owners was put into the outbox."""

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "day"], name="daily_checkpoint_once")]
        indexes = [
            models.Index(fields=["day"], condition=models.Q(mailed_at=None), name="daily_checkpoint_to_mail"),
        ]

    def __str__(self) -> str:
        return str(self.day)


class GivenCheckpoint(TenantOwned):
    """A checkpoint that somebody has: evidence proves that the log goes on from it, whatever moment it is of."""

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "size")
    size = models.BigIntegerField()
    given_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        pass

    def __str__(self) -> str:
        return f"{self.size} entries"


class LedgerKey(models.Model):
    """A public key that checkpoints were signed with, of all tenants: the history of keys that readers rely on."""

    public_key = models.CharField(max_length=100, primary_key=True)
    """As a reader passes it to the verifier (``consent.notes.public_key_line``)."""
    first_used_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.public_key
