"""What is kept about second steps beside allauth's authenticators."""

from django.db import models

from tenants.models.user import User

__all__ = ["FailedCodes"]


class FailedCodes(models.Model):
    """Wrong codes of a user since the last right one. In the database, because a cache may be away or be emptied."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    count = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.count} of {self.user_id}"
