"""Who takes care of a conversation."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from support.models import Conversation
from tenants.models import Membership
from tenants.permissions import PERMISSIONS, Permission
from tenants.restriction import restricting

__all__ = ["assignable_members", "assigned_numbers", "unassigned"]


def assigned_numbers(member_id: UUID) -> QuerySet[Conversation, Any]:
    """The numbers of the conversations that are assigned to a member (``settings.ASSIGNED_NUMBERS``)."""
    with restricting(None):
        return Conversation.objects.filter(assigned_to_id=member_id).values("number")


def unassigned() -> Q:
    """Conversations that nobody takes care of: never assigned, or to somebody who has gone."""
    return Q(assigned_to=None) | Q(assigned_to__is_active=False)


def assignable_members() -> QuerySet[Membership]:
    """The members who may answer, by name."""
    roles = [role for role, rights in PERMISSIONS.items() if Permission.REPLY in rights]
    members = Membership.objects.filter(is_active=True, role__in=roles).select_related("user")
    return members.order_by("user__name", "user__email")
