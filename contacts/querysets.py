"""Named selections of contacts."""

from collections.abc import Collection
from typing import Any, Self, TypeVar
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Q

from tenants.owned import TenantManager

__all__ = ["ContactManager", "ContactQuerySet", "starts", "with_numbers"]

ModelT = TypeVar("ModelT", bound=models.Model, covariant=True)


class ContactQuerySet(models.QuerySet[ModelT]):
    """Contacts by their numbers, lists and tags. What people type is looked for by ``contacts.search``."""

    def by_number(self, number: str) -> Self:
        """The person who has the number, as the preferred or as a further one."""
        return self.by_numbers([number])

    def by_numbers(self, numbers: Collection[str]) -> Self:
        """The people who have any of these numbers."""
        return self.filter(Q(id__in=with_numbers(Q(number__in=list(numbers)))))

    def owners(self, numbers: Collection[str]) -> dict[str, ModelT]:
        """For each of these numbers that somebody has, that person."""
        preferred = self.filter(Q(number__in=list(numbers)))
        further = _model("ContactNumber")._default_manager.filter(number__in=list(numbers)).select_related("contact")
        return {
            **{contact.number: contact for contact in preferred},  # type: ignore[attr-defined]
            **{row.number: row.contact for row in further},  # type: ignore[attr-defined]
        }

    def active(self) -> Self:
        """Everybody but the archived ones."""
        return self.filter(Q(archived_at=None))

    def archived(self) -> Self:
        """The archived ones."""
        return self.filter(Q(archived_at__isnull=False))

    def in_list(self, list_id: UUID) -> Self:
        """Members of one list."""
        return self.filter(Q(id__in=_ids("ListMember", contact_list_id=list_id)))

    def with_tag(self, tag_id: UUID) -> Self:
        """Contacts that carry one tag."""
        return self.filter(Q(id__in=_ids("ContactTag", tag_id=tag_id)))


class ContactManager(TenantManager[ModelT]):
    """The scoped manager with the named selections. It does not find people whose data was erased."""

    def get_queryset(self) -> ContactQuerySet[ModelT]:
        scoped = super().get_queryset()
        return ContactQuerySet(self.model, query=scoped.query, using=scoped.db).filter(erased_at=None)

    def by_number(self, number: str) -> ContactQuerySet[ModelT]:
        return self.get_queryset().by_number(number)

    def by_numbers(self, numbers: Collection[str]) -> ContactQuerySet[ModelT]:
        return self.get_queryset().by_numbers(numbers)

    def owners(self, numbers: Collection[str]) -> dict[str, ModelT]:
        return self.get_queryset().owners(numbers)


def starts(column: str, prefix: str) -> Q:
    """A range instead of LIKE: LIKE is not leakproof, so row-level security would keep it from the index."""
    return Q(**{f"{column}__gte": prefix, f"{column}__lt": prefix + "\U0010ffff"})


def with_numbers(condition: Q) -> models.QuerySet[models.Model, Any]:
    """The ids of the contacts one of whose numbers fulfils the condition: one subquery, which is joined. With OR
    PostgreSQL would read all contacts."""
    preferred = _model("Contact")._default_manager.filter(condition).values("id")
    return preferred.union(_model("ContactNumber")._default_manager.filter(condition).values("contact_id"), all=True)


def _ids(model_name: str, **conditions: UUID) -> models.QuerySet[models.Model, Any]:
    return _model(model_name)._default_manager.filter(**conditions).values("contact_id")


def _model(name: str) -> type[models.Model]:
    model: type[models.Model] = apps.get_model("contacts", name)
    return model
