"""The audit log: who did what, when and from where; only what changed; and nobody can change it afterwards."""

from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.urls import reverse

from tenants.audit import THE_PRODUCT, Actor, acting, current_actor, record
from tenants.models import AuditEntry, Membership
from tenants.scope import NoTenantScope, tenant_scope
from tests.cast import Cast
from tests.web import sign_in


def entries(cast: Cast) -> list[AuditEntry]:
    with tenant_scope(cast.clinic.tenant.id):
        return list(AuditEntry.objects.order_by("id"))


def test_a_request_records_its_person_and_their_address(client: Client, cast: Cast) -> None:
    before = len(entries(cast))
    with tenant_scope(cast.clinic.tenant.id):
        bob = Membership.objects.get(user=cast.bob)
    sign_in(client, cast.alice, cast.clinic.tenant)
    client.post(reverse("member_role", args=[bob.id]), {"role": "viewer"}, REMOTE_ADDR="203.0.113.9")
    (entry,) = entries(cast)[before:]
    assert (entry.action, entry.actor_id, entry.address) == ("member.role_changed", cast.alice.id, "203.0.113.9")
    assert (entry.target_kind, entry.target_id) == ("membership", bob.id)
    assert (entry.before, entry.after) == ({"role": "agent"}, {"role": "viewer"})
    assert current_actor() == THE_PRODUCT


@pytest.mark.parametrize(
    ("before", "after", "kept_before", "kept_after"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 2}, {"b": 3}),
        ({}, {"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {}, {"a": 1}, {}),
        ({"a": 1}, {"a": 1}, {}, {}),
        ({"at": datetime(2026, 1, 2, tzinfo=UTC)}, {"at": None}, {"at": "2026-01-02T00:00:00+00:00"}, {"at": None}),
    ],
)
def test_only_what_differs_is_kept(
    cast: Cast,
    before: dict[str, object],
    after: dict[str, object],
    kept_before: dict[str, object],
    kept_after: dict[str, object],
) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record("thing.changed", before=before, after=after)
    entry = entries(cast)[-1]
    assert (entry.before, entry.after) == (kept_before, kept_after)
    assert (entry.actor_id, entry.actor_name) == (None, "The platform")


def test_platform_admins_are_told_apart(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id), acting(Actor("Ada", by_platform=True)):
        record("tenant.looked_at", target_name="x" * 500)
    entry = entries(cast)[-1]
    assert (entry.actor_name, entry.by_platform, len(entry.target_name)) == ("Ada", True, 200)


def test_an_entry_goes_with_its_act(cast: Cast) -> None:
    before = len(entries(cast))
    with suppress(ZeroDivisionError), tenant_scope(cast.clinic.tenant.id):
        record("thing.changed")
        raise ZeroDivisionError
    assert len(entries(cast)) == before


def test_nothing_is_recorded_for_nobody() -> None:
    with pytest.raises(NoTenantScope):
        record("thing.changed")


@pytest.mark.parametrize("change", ["update", "delete"])
def test_what_was_recorded_stays(cast: Cast, change: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record("thing.changed", target_name=str(uuid4()))
        rows = AuditEntry.objects.filter(action="thing.changed")
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            rows.update(action="x") if change == "update" else rows.delete()


def test_one_tenants_log_is_not_the_others(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record("thing.changed")
    with tenant_scope(cast.shop.tenant.id):
        assert not AuditEntry.objects.filter(action="thing.changed").exists()
