"""Who did what, when and from where."""

from django.db import models
from django.utils.timezone import now

from tenants.models.user import User
from tenants.owned import TenantOwned

__all__ = ["AuditEntry"]


class AuditEntry(TenantOwned):
    """One act in a tenant. Written by ``tenants.audit.record`` in the transaction of the act; never changed.

    The actor's name and the target's are kept as they were: both may be renamed or erased later.
    """

    at = models.DateTimeField(default=now, editable=False)
    action = models.CharField(max_length=60)
    """What was done, such as "member.role_changed": the noun first, then the act in the past."""
    noun = models.GeneratedField(
        expression=models.Func(models.F("action"), models.Value("."), models.Value(1), function="split_part"),
        output_field=models.CharField(max_length=60),
        db_persist=True,
    )
    """What it is about: the part before the dot."""
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    """Null for what the product did by itself."""
    actor_name = models.CharField(max_length=254)
    by_platform = models.BooleanField(default=False)
    """Done by one of the platform's admins, not by a member."""
    address = models.GenericIPAddressField(null=True)
    target_kind = models.CharField(max_length=40, blank=True)
    """The model of what was acted on, such as "contact"."""
    target_id = models.UUIDField(null=True)
    target_name = models.CharField(max_length=200, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    """The values that changed; never secrets, texts or phone numbers."""

    class Meta(TenantOwned.Meta):
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["tenant", "actor", "id"], name="audit_actor"),
            models.Index(fields=["tenant", "noun", "id"], name="audit_noun"),
            models.Index(fields=["tenant", "target_id", "id"], name="audit_target"),
            models.Index(fields=["tenant", "id"], condition=models.Q(by_platform=True), name="audit_by_platform"),
        ]

    def __str__(self) -> str:
        return self.action
