"""Handing over, leaving, exporting and deleting: what is promised on the page is what happens to the rows."""

import io
import json
import threading
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from consent.ledger import OptIn, record_opt_ins
from consent.sealing import seal
from consent.services import opt_out
from contacts.models import Contact
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from tenants import deletion, export
from tenants.deletion import KEPT_TABLES
from tenants.models import AuditEntry, ExportPiece, Membership, OutgoingMail, Tenant, TenantExport, User
from tenants.owned import TenantOwned
from tenants.permissions import Role
from tenants.scope import all_tenants, tenant_scope
from tenants.services import accept_membership, add_member, ask_deletion, change_role, hand_over, remove_member
from tenants.tasks import delete_tenants, export_tenants
from tests.architecture.forms import stage
from tests.cast import Cast, make_cast
from tests.mails import sent_mails
from tests.web import confirm, sign_in, text_of

NAME = "Harbor Clinic"


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    with tenant_scope(cast.clinic.tenant.id):
        for membership in Membership.objects.all():
            accept_membership(membership=membership)
    return sign_in(client, cast.alice, cast.clinic.tenant)


def member(cast: Cast, user: User) -> Membership:
    with tenant_scope(cast.clinic.tenant.id):
        return Membership.objects.select_related("tenant", "user").get(user=user)


def role(cast: Cast, user: User) -> str:
    return member(cast, user).role


# --- Handing over ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stays", "left"), [("", "manager"), ("on", "owner")])
def test_handing_over(alice: Client, cast: Cast, stays: str, left: str) -> None:
    data = {"member": member(cast, cast.bob).id, "typed_name": NAME, "stays_owner": stays}
    alice.post(reverse("business_hand_over"), data)
    assert (role(cast, cast.bob), role(cast, cast.alice)) == ("owner", left)
    assert [message.to for message in sent_mails()] == [["bob@clinic.example"]]
    with tenant_scope(cast.clinic.tenant.id):
        assert AuditEntry.objects.filter(action="tenant.handed_over", actor=cast.alice).exists()


@pytest.mark.parametrize(
    "change", [{"typed_name": "Harbour Clinic"}, {"typed_name": ""}, {"member": ""}, {"member": "x"}]
)
def test_handing_over_by_mistake(alice: Client, cast: Cast, change: dict[str, str]) -> None:
    data = {"member": member(cast, cast.bob).id, "typed_name": NAME} | change
    assert alice.post(reverse("business_hand_over"), data).status_code == 422
    assert (role(cast, cast.bob), role(cast, cast.alice)) == ("agent", "owner")


def test_a_stranger_cannot_become_the_owner(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.shop.tenant.id):
        charlie = Membership.objects.get(user=cast.charlie)
    with tenant_scope(cast.clinic.tenant.id):
        invited = add_member(email="new@clinic.example", role=Role.AGENT)
    for one in (charlie, invited, member(cast, cast.alice)):
        assert alice.post(reverse("business_hand_over"), {"member": one.id, "typed_name": NAME}).status_code == 422
    assert role(cast, cast.alice) == "owner"


@pytest.mark.parametrize("name", ["mona", "bob", "vera"])
@pytest.mark.parametrize("route", ["business_hand_over", "export_ask", "deletion_ask", "deletion_cancel", "business"])
def test_only_owners(client: Client, cast: Cast, name: str, route: str) -> None:
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    assert client.post(reverse(route), {"delete-typed_name": NAME}).status_code == 403


@pytest.mark.parametrize("route", ["business_hand_over", "export_ask", "deletion_ask"])
def test_who_it_is_is_asked_once_more(alice: Client, cast: Cast, route: str) -> None:
    confirm(alice, cast.alice, seconds_ago=3600)
    answer = alice.post(reverse(route), {"delete-typed_name": NAME})
    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert Tenant.objects.get(id=cast.clinic.tenant.id).deletion_due_at is None


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_both_step_down_at_once() -> None:
    cast = make_cast()
    tenant_id = cast.clinic.tenant.id
    with tenant_scope(tenant_id):
        bob = Membership.objects.get(user=cast.bob)
        change_role(membership=bob, role=Role.OWNER)
        alice = Membership.objects.get(user=cast.alice)
    refused: list[ValidationError] = []

    def second() -> None:
        try:
            with tenant_scope(tenant_id):
                remove_member(membership=bob)
        except ValidationError as error:
            refused.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with tenant_scope(tenant_id, durable=True):
        change_role(membership=alice, role=Role.VIEWER)
        thread.start()
        thread.join(0.4)
        assert thread.is_alive(), "it did not have to wait"
    thread.join(20)
    assert len(refused) == 1
    assert role(cast, cast.bob) == "owner"


def test_the_giver_must_still_be_an_owner(cast: Cast) -> None:
    """As when two hand-overs of the same owner meet: the second finds a manager."""
    with tenant_scope(cast.clinic.tenant.id):
        alice = Membership.objects.select_related("tenant").get(user=cast.alice)
        bob, mona = (Membership.objects.get(user=user) for user in (cast.bob, cast.mona))
        for one in (bob, mona):
            accept_membership(membership=one)
        hand_over(giver=alice, receiver=bob, typed_name=NAME, stays_owner=False)
        with pytest.raises(ValidationError):
            hand_over(giver=alice, receiver=mona, typed_name=NAME, stays_owner=False)
        assert Membership.objects.get(user=cast.mona).role == "manager"


# --- Leaving and coming back ----------------------------------------------------------------------------------------


def test_leaving_oneself(client: Client, cast: Cast) -> None:
    sign_in(client, cast.vera, cast.clinic.tenant)
    answer = client.post(reverse("team_leave"), follow=True)
    assert "You have left Harbor Clinic." in text_of(answer)
    assert not member(cast, cast.vera).is_active


def test_the_last_owner_cannot_leave(alice: Client, cast: Cast) -> None:
    assert "This is the only owner." in text_of(alice.post(reverse("team_leave"), follow=True))
    assert member(cast, cast.alice).is_active


def test_somebody_removed_gets_their_access_back(alice: Client, cast: Cast) -> None:
    bob = member(cast, cast.bob)
    alice.post(reverse("member_remove", args=[bob.id]))
    assert "Removed members" in text_of(alice.get(reverse("team")))
    alice.post(reverse("member_back", args=[bob.id]))
    assert member(cast, cast.bob).is_active
    assert role(cast, cast.bob) == "agent"


# --- Exporting ------------------------------------------------------------------------------------------------------


def downloaded(client: Client, export_id: object) -> zipfile.ZipFile:
    answer: Any = client.get(reverse("export_download", args=[export_id]))
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content)
    assert len(content) == int(answer.headers["Content-Length"])
    return zipfile.ZipFile(io.BytesIO(content))


def test_an_export_holds_everything_of_the_tenant_and_no_secret(
    alice: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PIECE_BYTES", 2_000)
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    staged = stage(cast, alice)
    with tenant_scope(cast.shop.tenant.id):
        Contact.objects.create(number="+12025550199", first_name="Foreigner")
    alice.post(reverse("export_ask"))
    assert "An export is being written already." in text_of(alice.post(reverse("export_ask"), follow=True))
    export_tenants()
    with tenant_scope(cast.clinic.tenant.id):
        done = TenantExport.objects.get()
        assert ExportPiece.objects.count() > 1
        contacts = {str(row) for row in Contact.with_erased.values_list("id", flat=True)}
        assert len(contacts) > 2, "more than a page"
    archive = downloaded(alice, done.id)
    everything = "".join(archive.read(name).decode() for name in archive.namelist())
    rows = [json.loads(line) for line in archive.read("contacts.Contact.jsonl").decode().splitlines()]
    assert {row["id"] for row in rows} == contacts
    owned = {model._meta.label for model in apps.get_models() if issubclass(model, TenantOwned)}
    assert owned >= export.LEFT_OUT, "a table is left out that does not exist (any more)"
    left_out = {f"{label}.jsonl" for label in export.LEFT_OUT}
    assert {f"{label}.jsonl" for label in owned - export.LEFT_OUT} <= set(archive.namelist())
    assert left_out.isdisjoint(archive.namelist())
    for secret in (staged.things.invitation.shown_hash, "encrypted_credentials", "Foreigner", cast.alice.password):
        assert secret not in everything
    assert "alice@clinic.example" in archive.read("members.jsonl").decode()
    assert [message.to for message in sent_mails() if "export" in message.subject] == [["alice@clinic.example"]]
    with tenant_scope(cast.clinic.tenant.id):
        assert AuditEntry.objects.filter(action="tenant.export_downloaded").exists()


def test_an_export_is_gone_after_a_day(alice: Client, cast: Cast) -> None:
    alice.post(reverse("export_ask"))
    export_tenants()
    with tenant_scope(cast.clinic.tenant.id):
        TenantExport.objects.update(expires_at=now() - timedelta(seconds=1))
        done = TenantExport.objects.get()
    assert alice.get(reverse("export_download", args=[done.id])).status_code == 404
    export_tenants()
    with tenant_scope(cast.clinic.tenant.id):
        assert not ExportPiece.objects.exists()


def test_another_tenants_export_does_not_exist(alice: Client, cast: Cast) -> None:
    alice.post(reverse("export_ask"))
    export_tenants()
    with tenant_scope(cast.clinic.tenant.id):
        done = TenantExport.objects.get()
    charlie = sign_in(Client(), cast.charlie, cast.shop.tenant)
    assert charlie.get(reverse("export_download", args=[done.id])).status_code == 404


def test_a_worker_that_died_leaves_nothing_behind(alice: Client, cast: Cast) -> None:
    alice.post(reverse("export_ask"))
    with tenant_scope(cast.clinic.tenant.id):
        half = TenantExport.objects.get()
        ExportPiece.objects.create(export=half, position=7, content=b"half")
        TenantExport.objects.update(status="running", leased_until=now() + timedelta(minutes=1), tries=1)
    export_tenants()
    with tenant_scope(cast.clinic.tenant.id):
        assert TenantExport.objects.get().status == "running", "somebody else is at it"
        TenantExport.objects.update(leased_until=now())
    export_tenants()
    downloaded(alice, half.id).testzip()


# --- Deleting -------------------------------------------------------------------------------------------------------


def rows_by_table(tenant: Tenant) -> dict[str, int]:
    """How many rows of the tenant each table holds, asked of the database and not of our managers."""
    counts = {}
    with all_tenants("what is left of a tenant"), connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant_id'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE tenant_id = %s', [tenant.id])
            counts[table] = cursor.fetchone()[0]
    return {table: count for table, count in counts.items() if count}


def test_asking_stops_sending_at_once_and_every_owner_can_cancel(alice: Client, cast: Cast) -> None:
    tenant = cast.clinic.tenant
    assert alice.post(reverse("deletion_ask"), {"delete-typed_name": "Harbor"}).status_code == 422
    alice.post(reverse("deletion_ask"), {"delete-typed_name": NAME})
    assert [message.subject for message in sent_mails()] == ["Harbor Clinic will be deleted"]
    page = text_of(alice.get(reverse("home")))
    assert "This account will be deleted on" in page
    with tenant_scope(tenant.id):
        record_opt_ins([OptIn("+12025550101", "marketing", "web_form")], actor_id=None)
        circumstances = Circumstances(tenant=Tenant.objects.get(id=tenant.id), purpose="marketing")
        assert decide_all([Candidate("+12025550101")], circumstances)[0].rule == "tenant_is_active"
        zoe = add_member(email="zoe@clinic.example", role=Role.OWNER).user
    delete_tenants()
    assert rows_by_table(tenant)["tenants_membership"] == 5, "its time has not come"
    sign_in(Client(), zoe, tenant).post(reverse("deletion_cancel"))
    with tenant_scope(tenant.id):
        circumstances = Circumstances(tenant=Tenant.objects.get(id=tenant.id), purpose="marketing")
        assert decide_all([Candidate("+12025550101")], circumstances)[0].outcome == "allow"
        assert OutgoingMail.objects.filter(kind="deletion_cancelled").count() == 2


def test_too_late_to_cancel(alice: Client, cast: Cast) -> None:
    Tenant.objects.filter(id=cast.clinic.tenant.id).update(deletion_due_at=now())
    assert "the deletion has begun" in text_of(alice.post(reverse("deletion_cancel"), follow=True))


def test_afterwards_only_what_must_be_kept_is_left(alice: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "ROWS_AT_ONCE", 2)
    tenant = cast.clinic.tenant
    stage(cast, alice)
    with tenant_scope(tenant.id):
        record_opt_ins([OptIn("+12025550101", "marketing", "web_form")], actor_id=None)
        opt_out(number="+12025550102", source="staff")
        seal()
        ask_deletion(tenant=tenant, typed_name=NAME)
    before = rows_by_table(tenant)
    others = rows_by_table(cast.shop.tenant)
    Tenant.objects.filter(id=tenant.id).update(deletion_due_at=now())
    monkeypatch.setattr(deletion, "WORK_SECONDS", 0.0)
    delete_tenants()
    assert rows_by_table(tenant) != before, "it goes on where it was"
    assert Tenant.objects.get(id=tenant.id).deleted_at is None
    monkeypatch.setattr(deletion, "WORK_SECONDS", 60.0)
    delete_tenants()
    after = rows_by_table(tenant)
    assert set(after) <= KEPT_TABLES
    assert {table: before.get(table) for table in KEPT_TABLES} == {table: after.get(table) for table in KEPT_TABLES}
    assert rows_by_table(cast.shop.tenant) == others
    left = Tenant.objects.get(id=tenant.id)
    assert (left.name, left.help_contact, left.brand_name, left.deleted_at is not None) == (NAME, "", "", True)
    assert "Harbor" not in text_of(alice.get(reverse("home"), follow=True))
    assert User.objects.filter(id=cast.alice.id).exists(), "people may work elsewhere too"


def test_what_is_kept_is_what_nobody_can_delete_and_who_must_not_be_texted(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'tenant_id' "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
            "AND NOT has_table_privilege(current_user, pg_class.oid, 'DELETE')"
        )
        kept = {name for (name,) in cursor.fetchall()}
    # With what the log cannot go on without.
    projection = {"consent_headbucket", "consent_ledgerhead", "consent_pendingseal"}
    assert kept | projection | {"consent_suppression"} == KEPT_TABLES


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("days", "removed"), [(-1, False), (1, True)])
def test_in_the_end_what_was_kept_goes_too(days: int, removed: bool) -> None:
    cast = make_cast()
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        opt_out(number="+12025550102", source="staff")
        seal()
    others = rows_by_table(cast.shop.tenant)
    Tenant.objects.filter(id=tenant.id).update(deletion_due_at=now())
    delete_tenants()
    kept = rows_by_table(tenant)
    assert set(kept) == KEPT_TABLES - {"consent_ledgertile", "consent_pendingseal"}, "sealed, and too few for a tile"
    Tenant.objects.filter(id=tenant.id).update(deleted_at=now() - deletion.KEPT_FOR - timedelta(days=days))
    call_command("remove_kept_records", stdout=io.StringIO())
    assert rows_by_table(tenant) == ({} if removed else kept)
    assert Tenant.objects.filter(id=tenant.id).exists() is not removed
    assert rows_by_table(cast.shop.tenant) == others
