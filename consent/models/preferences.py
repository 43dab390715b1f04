"""Links by which people choose what they get."""

from django.db import models

from tenants.owned import TenantOwned

__all__ = ["PreferenceLink"]


class PreferenceLink(TenantOwned):
    """Whose page a link leads to. Only the hash of what stands in the link is kept: who reads this table can open none."""

    number = models.CharField(max_length=16, db_collation="C")
    token_hash = models.CharField(max_length=64, db_collation="C")

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "token_hash"], name="preference_link_once")]
        indexes = [
            # The page of a link does not know the tenant yet.
            models.Index(fields=["token_hash"], name="preference_link_by_token"),
            models.Index(fields=["tenant", "number"], name="preference_link_by_number"),
        ]

    def __str__(self) -> str:
        return self.token_hash[:8]
