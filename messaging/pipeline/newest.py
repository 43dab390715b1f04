"""The newest attempt of each message: only of that one the message's sender is the sender that made it."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from messaging.models import Attempt

__all__ = ["newest_of"]


def newest_of(attempt_ids: Collection[UUID]) -> "QuerySet[Attempt]":
    """Those of the attempts that no later one followed; an earlier one may have gone by another sender of the pool."""
    later = Attempt.objects.filter(message_id=OuterRef("message_id"), n__gt=OuterRef("n"))
    return Attempt.objects.filter(~Exists(later), id__in=attempt_ids)
