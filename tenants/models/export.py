"""Everything a tenant has, as one file to take along."""

from django.db import models
from django.utils.timezone import now

from tenants.models.user import User
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["ExportPiece", "TenantExport"]


class TenantExport(TenantOwned):
    """One export: waiting -> running -> done | failed; its pieces are removed at ``expires_at``."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting to start"
        RUNNING = "running", "Being written"
        DONE = "done", "Ready"
        FAILED = "failed", "Failed"

    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=now, editable=False)
    leased_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    """Bytes of the file."""
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"],
                condition=models.Q(status__in=["waiting", "running"]),
                name="tenant_export_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return self.status


class ExportPiece(TenantOwned):
    """A piece of the file: it is written and read without ever being whole in memory."""

    export = TenantForeignKey(TenantExport, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "export", "position"], name="export_piece_once")]

    def __str__(self) -> str:
        return str(self.position)
