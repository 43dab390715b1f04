"""One table, no tenants, no attempts."""

from django.db import models


class NaiveMessage(models.Model):
    """A text to one number."""

    number = models.CharField(max_length=16)
    body = models.TextField()
    status = models.CharField(max_length=12, default="queued", db_index=True)
    sid = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "naive_message"

    def __str__(self) -> str:
        return self.status
