"""Notes on a contact: who may write, change and read them, and that they stand in the order of time."""

import pytest
from django.test import Client
from django.urls import reverse

from contacts.models import Contact, ContactNote
from contacts.services import add_note, create_contact
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.web import sign_in, text_of


@pytest.fixture
def ann(cast: Cast) -> Contact:
    with tenant_scope(cast.clinic.tenant.id):
        return create_contact(tenant=cast.clinic.tenant, number="+12025550101", values={"first_name": "Ann"})


@pytest.fixture
def bobs(cast: Cast, ann: Contact) -> ContactNote:
    with tenant_scope(cast.clinic.tenant.id):
        return add_note(contact=ann, body="Prefers mornings", author_id=cast.bob.id)


def bodies(cast: Cast) -> list[str]:
    with tenant_scope(cast.clinic.tenant.id):
        return list(ContactNote.objects.order_by("id").values_list("body", flat=True))


@pytest.mark.parametrize(("name", "status"), [("alice", 302), ("mona", 302), ("bob", 302), ("vera", 403)])
def test_who_may_write_a_note(client: Client, cast: Cast, ann: Contact, name: str, status: int) -> None:
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    answer = client.post(reverse("note_add", args=[ann.id]), {"body": " Calls <b>often</b>\r\n"})
    assert answer.status_code == status
    assert bodies(cast) == (["Calls <b>often</b>"] if status == 302 else [])
    page = text_of(client.get(reverse("contact", args=[ann.id])))
    assert ("Calls <b>often</b>" in page) == (status == 302)
    assert (reverse("note_add", args=[ann.id]) in page) == (name != "vera")


@pytest.mark.parametrize(("name", "may"), [("alice", True), ("mona", True), ("bob", True), ("vera", False)])
def test_whoever_wrote_a_note_and_managers_may_change_it(
    client: Client, cast: Cast, ann: Contact, bobs: ContactNote, name: str, may: bool
) -> None:
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    assert client.get(reverse("note_edit", args=[ann.id, bobs.id])).status_code == (200 if may else 403)
    answer = client.post(reverse("note_edit", args=[ann.id, bobs.id]), {"body": "Prefers evenings"})
    assert answer.status_code == (302 if may else 403)
    assert bodies(cast) == ["Prefers evenings" if may else "Prefers mornings"]
    answer = client.post(reverse("note_delete", args=[ann.id, bobs.id]))
    assert answer.status_code == (302 if may else 403)
    assert bodies(cast) == ([] if may else ["Prefers mornings"])


def test_an_agent_cannot_change_a_colleagues_note(client: Client, cast: Cast, ann: Contact) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        note = add_note(contact=ann, body="By Mona", author_id=cast.mona.id)
    sign_in(client, cast.bob, cast.clinic.tenant)
    assert client.get(reverse("note_edit", args=[ann.id, note.id])).status_code == 403
    assert client.post(reverse("note_edit", args=[ann.id, note.id]), {"body": "By Bob"}).status_code == 403
    assert client.post(reverse("note_delete", args=[ann.id, note.id])).status_code == 403
    assert bodies(cast) == ["By Mona"]
    assert reverse("note_edit", args=[ann.id, note.id]) not in text_of(client.get(reverse("contact", args=[ann.id])))


def test_another_tenants_notes_do_not_exist(client: Client, cast: Cast, ann: Contact, bobs: ContactNote) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    for address in (
        reverse("note_add", args=[ann.id]),
        reverse("note_edit", args=[ann.id, bobs.id]),
        reverse("note_delete", args=[ann.id, bobs.id]),
    ):
        assert client.post(address, {"body": "Mine now"}).status_code == 404
    assert bodies(cast) == ["Prefers mornings"]


def test_a_note_belongs_to_the_contact_in_its_address(client: Client, cast: Cast, bobs: ContactNote) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        ben = create_contact(tenant=cast.clinic.tenant, number="+12025550102", values={})
    sign_in(client, cast.alice, cast.clinic.tenant)
    assert client.post(reverse("note_edit", args=[ben.id, bobs.id]), {"body": "Moved"}).status_code == 404


@pytest.mark.parametrize("body", ["", "  \n ", "x" * 4001, "a\x00b"])
def test_what_is_no_note_comes_back_with_what_was_typed(client: Client, cast: Cast, ann: Contact, body: str) -> None:
    sign_in(client, cast.bob, cast.clinic.tenant)
    answer = client.post(reverse("note_add", args=[ann.id]), {"body": body})
    assert answer.status_code == 422
    assert body.strip() in text_of(answer)
    assert bodies(cast) == []


def test_the_audit_log_names_the_note_and_not_its_words(client: Client, cast: Cast, ann: Contact) -> None:
    sign_in(client, cast.bob, cast.clinic.tenant)
    client.post(reverse("note_add", args=[ann.id]), {"body": "A secret"})
    with tenant_scope(cast.clinic.tenant.id):
        note = ContactNote.objects.get()
        client.post(reverse("note_delete", args=[ann.id, note.id]))
        told = AuditEntry.objects.filter(target_id=ann.id, action__startswith="note.").order_by("id")
        assert [(entry.action, entry.actor_id) for entry in told] == [
            ("note.added", cast.bob.id),
            ("note.deleted", cast.bob.id),
        ]
        assert "secret" not in str(list(told.values()))
        assert "Ann" not in str(list(told.values()))
