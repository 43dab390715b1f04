"""Where people are signed in."""

from django.contrib.sessions.models import Session
from django.db import models
from django.utils.timezone import now

from common.ids import uuid7
from tenants.models.user import User

__all__ = ["UserSession"]


class UserSession(models.Model):
    """A browser in which somebody is signed in: what Django's session is not asked for, by whom and from where.

    It goes with the session it describes, whatever ends that: signing out, a new key, the end of its time.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="signed_in")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField(default=now, editable=False)
    last_seen_at = models.DateTimeField(default=now)
    """To within ``tenants.services.sessions.SEEN_EVERY``."""
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.user_id} from {self.address}"
