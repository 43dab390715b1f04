"""Bulk actions: whom they touch, that each is touched once whatever happens, and who may start them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import ConsentRecord, ConsentState
from consent.services import is_suppressed, opt_out
from contacts.bulk import actions
from contacts.bulk.run import LEASE, run_job
from contacts.models import Contact, ContactJob, ContactJobRow, ContactList, ContactTag, ContactValue, ListMember
from contacts.services import add_number, cancel_job, create_contact, create_field, create_list, start_job
from contacts.services.bulk import People
from contacts.tasks import resume_contact_jobs
from tenants.models import AuditEntry
from tenants.scope import all_tenants, tenant_scope
from tests.cast import Cast, Company, make_cast
from tests.contacts.test_erase import found_in
from tests.contacts.test_import_faults import _as_owner
from tests.web import confirm, sign_in, text_of


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because a job commits chunk by chunk."""
    return make_cast()


def people_of(company: Company, count: int = 6) -> list[UUID]:
    with tenant_scope(company.tenant.id):
        return [
            create_contact(tenant=company.tenant, number=f"+1202555{n:04d}", values={"first_name": f"P{n}"}).id
            for n in range(100, 100 + count)
        ]


@pytest.fixture
def ids(cast: Cast) -> list[UUID]:
    return people_of(cast.clinic)


def job_of(cast: Cast, kind: str, people: People, **values: str) -> ContactJob:
    with tenant_scope(cast.clinic.tenant.id):
        return start_job(tenant=cast.clinic.tenant, kind=kind, people=people, values=values, user_id=cast.mona.id)


def run(cast: Cast, kind: str, people: People | Sequence[UUID], **values: str) -> ContactJob:
    job = job_of(cast, kind, people if isinstance(people, People) else People(people), **values)
    run_job(cast.clinic.tenant.id, job.id)
    return now(job)


def now(job: ContactJob) -> ContactJob:
    with all_tenants("test"):
        return ContactJob.objects.get(id=job.id)


def outcomes(job: ContactJob) -> dict[UUID, str]:
    with all_tenants("test"):
        return dict(ContactJobRow.objects.filter(job_id=job.id).values_list("contact_id", "outcome"))


def chunks_of(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("contacts.bulk.run.CHUNK_ROWS", dict.fromkeys(ContactJob.Kind.values, size))


# --- What each does -----------------------------------------------------------------------------------------------


def test_tags_and_lists(cast: Cast, ids: list[UUID]) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        guests = str(create_list(name="Guests").id)
    assert run(cast, "add_tag", ids[:3], tag=" vip ").counts == {"changed": 3}
    assert run(cast, "add_tag", ids[:4], tag="VIP").counts == {"changed": 1, "unchanged": 3}
    assert run(cast, "remove_tag", ids, tag="Vip").counts == {"changed": 4, "unchanged": 2}
    assert run(cast, "add_to_list", ids[:2], list=guests).counts == {"changed": 2}
    assert run(cast, "remove_from_list", ids[1:], list=guests).counts == {"changed": 1, "unchanged": 4}
    with tenant_scope(cast.clinic.tenant.id):
        assert ContactTag.objects.count() == 0
        assert [member.contact_id for member in ListMember.objects.all()] == ids[:1]


def test_the_timeline_tells_what_was_changed_in_bulk(client: Client, cast: Cast, ids: list[UUID]) -> None:
    run(cast, "add_tag", ids[:1], tag="VIP")
    run(cast, "remove_tag", ids[:1], tag="VIP")
    run(cast, "remove_tag", ids[:1], tag="VIP")
    sign_in(client, cast.vera, cast.clinic.tenant)
    events = client.get(reverse("contact", args=[ids[0]]), {"kind": "change"}).context["timeline"].events
    assert [(event.title, event.detail) for event in events] == [
        ("Bulk action: remove a tag: VIP", "By Mona"),
        ("Bulk action: add a tag: VIP", "By Mona"),
    ]


def test_fields(cast: Cast, ids: list[UUID]) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        field = create_field(label="Visits", kind="number")
    assert run(cast, "set_field", ids[:2], field=field.key, value="1,200").counts == {"changed": 2}
    assert run(cast, "set_field", ids[:3], field=field.key, value="1200").counts == {"changed": 1, "unchanged": 2}
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get(id=ids[0]).fields == {field.key: "1200"}
        assert ContactValue.objects.count() == 3
    assert run(cast, "set_field", ids, field=field.key, value="").counts == {"changed": 3, "unchanged": 3}
    assert run(cast, "set_field", ids[:1], field="language", value="es").counts == {"changed": 1}
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get(id=ids[0]).fields == {}
        assert Contact.objects.get(id=ids[0]).language == "es"
        assert ContactValue.objects.count() == 0


def test_the_archive(cast: Cast, ids: list[UUID]) -> None:
    assert run(cast, "archive", ids[:2]).counts == {"changed": 2}
    everyone = People(query={})
    assert run(cast, "archive", everyone).counts == {"changed": 4}
    assert run(cast, "unarchive", People(query={"archived": "1", "q": "P101"})).counts == {"changed": 1}
    with tenant_scope(cast.clinic.tenant.id):
        assert [contact.id for contact in Contact.objects.get_queryset().active()] == [ids[1]]


def test_opt_outs_hold_for_all_numbers_and_are_recorded_once(cast: Cast, ids: list[UUID]) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        add_number(tenant=cast.clinic.tenant, contact=Contact.objects.get(id=ids[0]), number="+12025550190")
        opt_out(number="+12025550101", source="reply", wording="STOP")
    assert run(cast, "opt_out", ids[:2]).counts == {"changed": 1, "unchanged": 1}
    assert run(cast, "opt_out", ids[:2]).counts == {"unchanged": 2}
    with tenant_scope(cast.clinic.tenant.id):
        records = ConsentRecord.objects.filter(source="staff").values_list("number", "act", "purpose", "actor_id")
        assert sorted(records) == [
            ("+12025550100", "opt_out", "all", cast.mona.id),
            ("+12025550190", "opt_out", "all", cast.mona.id),
        ]
        assert all(is_suppressed(number=number) for number in ("+12025550100", "+12025550101", "+12025550190"))
        assert not ConsentState.objects.filter(act="opt_in").exists()


def test_erasing_many(cast: Cast, ids: list[UUID]) -> None:
    job = run(cast, "erase", People(ids[:4], expected=4))
    assert (job.status, job.counts) == ("done", {"changed": 4})
    with tenant_scope(cast.clinic.tenant.id):
        assert set(Contact.objects.values_list("id", flat=True)) == set(ids[4:])
    assert {column for column in found_in("P10") if not column.startswith("messaging")} == {
        "contacts_contact.first_key",
        "contacts_contact.first_name",
    }
    assert run(cast, "add_tag", ids[3:5], tag="VIP").counts == {"changed": 1, "not_found": 1}


# --- Whom ---------------------------------------------------------------------------------------------------------


def test_ids_of_others_and_of_nobody_are_not_found_and_change_nothing(cast: Cast, ids: list[UUID]) -> None:
    others = people_of(cast.shop, 2)
    nobody = uuid4()
    job = run(cast, "archive", [ids[0], others[0], ids[1], nobody, ids[1]])
    assert outcomes(job) == {
        ids[0]: "changed",
        ids[1]: "changed",
        others[0]: "not_found",
        nobody: "not_found",
    }
    assert job.counts == {"changed": 2, "not_found": 2}
    for kind in ("erase", "opt_out", "add_tag"):
        assert run(cast, kind, others, tag="VIP").counts == {"not_found": 2}
    with tenant_scope(cast.shop.tenant.id):
        assert Contact.objects.get_queryset().active().count() == 2
        assert ContactTag.objects.count() == ConsentRecord.objects.count() == 0


def test_a_list_or_a_tag_of_another_tenant_does_not_exist(client: Client, cast: Cast, ids: list[UUID]) -> None:
    with tenant_scope(cast.shop.tenant.id):
        foreign = create_list(name="Theirs")
    sign_in(client, cast.alice, cast.clinic.tenant)
    data = {"kind": "add_to_list", "contact": [str(ids[0])], "list": str(foreign.id)}
    answer = client.post(reverse("contact_bulk"), data)
    assert (answer.status_code, "Choose a list." in text_of(answer)) == (422, True)
    with tenant_scope(cast.shop.tenant.id):
        assert ListMember.objects.count() == 0


def test_everybody_who_matches_is_written_down_when_it_begins(cast: Cast, ids: list[UUID]) -> None:
    job = job_of(cast, "add_tag", People(query={"q": "P10"}), tag="VIP")
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.filter(id=ids[0]).update(first_name="Zed", first_key="zed")
    run_job(cast.clinic.tenant.id, job.id)
    assert set(outcomes(job)) == set(ids[1:])
    assert now(job).query is None, "what was searched for is forgotten"


@pytest.mark.parametrize(("expected", "status", "left"), [(6, "done", 0), (5, "failed", 6), (7, "failed", 6)])
def test_more_or_fewer_people_than_confirmed_are_not_erased(
    cast: Cast, ids: list[UUID], expected: int, status: str, left: int
) -> None:
    job = run(cast, "erase", People(query={}, expected=expected))
    assert job.status == status
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.count() == left
    assert ("there were 6" in job.problem) == (status == "failed")


# --- Once, whatever happens ---------------------------------------------------------------------------------------


def test_a_worker_that_dies_leaves_nothing_twice_and_nobody_out(
    cast: Cast, ids: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks_of(monkeypatch, 2)
    job = job_of(cast, "add_tag", People(query={}), tag="VIP")
    fourth = sorted(ids)[3]
    _as_owner(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NEW.contact_id = '{fourth}' THEN RAISE EXCEPTION 'down'; END IF; RETURN NEW; END $$; "
        "CREATE TRIGGER refuse BEFORE INSERT ON contacts_contacttag FOR EACH ROW EXECUTE FUNCTION refuse();"
    )
    try:
        with pytest.raises(DatabaseError):
            run_job(cast.clinic.tenant.id, job.id)
        assert (now(job).status, now(job).rows_done, now(job).counts) == ("running", 2, {"changed": 2})
        run_job(cast.clinic.tenant.id, job.id)
        assert now(job).rows_done == 2, "as long as the lease holds nobody takes over"
    finally:
        _as_owner("DROP TRIGGER refuse ON contacts_contacttag; DROP FUNCTION refuse()")
    with all_tenants("test"):
        ContactJob.objects.update(leased_until=timezone.now() - LEASE)
    resume_contact_jobs()
    assert (now(job).status, now(job).rows_done, now(job).counts) == ("done", 6, {"changed": 6})
    with tenant_scope(cast.clinic.tenant.id):
        assert ContactTag.objects.count() == 6
        assert AuditEntry.objects.filter(action="bulk.finished").count() == 1


def test_a_job_that_never_gets_on_is_given_up(cast: Cast, ids: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    def down(job: ContactJob, found: object) -> list[UUID]:
        raise DatabaseError

    monkeypatch.setitem(actions.ACTIONS, "archive", down)  # type: ignore[arg-type]
    job = job_of(cast, "archive", People(ids))
    for _ in range(7):
        resume_contact_jobs()
        with all_tenants("test"):
            ContactJob.objects.filter(status="running").update(leased_until=timezone.now() - LEASE)
    assert (now(job).status, "did not get past person 1 in 5 tries" in now(job).problem) == ("failed", True)


def test_other_work_has_its_turn_between(cast: Cast, ids: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    chunks_of(monkeypatch, 2)
    job = job_of(cast, "archive", People(ids))
    assert run_job(cast.clinic.tenant.id, job.id, seconds=0)
    assert run_job(cast.clinic.tenant.id, job.id) is False
    assert now(job).counts == {"changed": 6}


def test_cancelling_keeps_what_is_done(cast: Cast, ids: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(cast, "archive", People(ids))
    with tenant_scope(cast.clinic.tenant.id):
        cancel_job(job=job)
    run_job(cast.clinic.tenant.id, job.id)
    assert (now(job).status, now(job).rows_done) == ("cancelled", 0)
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get_queryset().active().count() == 6


# --- Pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("alice", "erase", 302),
        ("mona", "erase", 302),
        ("bob", "erase", 403),
        ("vera", "erase", 403),
        ("bob", "archive", 302),
        ("vera", "archive", 403),
        ("vera", "add_tag", 403),
    ],
)
def test_who_may_start_what(client: Client, cast: Cast, ids: list[UUID], name: str, kind: str, status: int) -> None:
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    data = {"kind": kind, "contact": [str(one) for one in ids[:2]], "tag": "VIP", "typed": "2"}
    assert client.get(reverse("contact_bulk"), data).status_code == (200 if status == 302 else 403)
    assert client.post(reverse("contact_bulk"), data).status_code == status
    with tenant_scope(cast.clinic.tenant.id):
        assert ContactJob.objects.count() == (1 if status == 302 else 0)


def test_from_the_list_to_the_outcome(client: Client, cast: Cast, ids: list[UUID]) -> None:
    sign_in(client, cast.bob, cast.clinic.tenant)
    page = text_of(client.get(reverse("contacts"), {"q": "P10"}))
    assert 'name="contact"' in page
    assert "All 6 that match" in page
    assert ">Erase for good<" not in page
    asked = {"kind": "add_tag", "everyone": "1", "query": "q=P10&before=x"}
    confirm_page = text_of(client.get(reverse("contact_bulk"), asked))
    assert "6 people" in confirm_page
    answer: Any = client.post(reverse("contact_bulk"), {**asked, "tag": "VIP"})
    with tenant_scope(cast.clinic.tenant.id):
        job = ContactJob.objects.get()
    assert answer.url == reverse("contact_job", args=[job.id])
    assert "Waiting to start" in text_of(client.get(answer.url))
    assert "data-poll" in text_of(client.get(answer.url, {"part": "progress"}, headers={"HX-Request": "true"}))
    run_job(cast.clinic.tenant.id, job.id)
    assert client.get(answer.url, {"part": "progress"}, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    done = text_of(client.get(answer.url, {"outcome": "changed"}))
    assert reverse("contact", args=[ids[0]]) in done
    assert "Add a tag: VIP" in text_of(client.get(reverse("contact_jobs")))
    assert client.get(answer.url, {"outcome": "x", "after": "\x00"}).status_code == 200


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "add_tag", "tag": ""}, "This field is required"),
        ({"kind": "remove_tag", "tag": "nobody has it"}, "There is no tag with this name"),
        ({"kind": "add_to_list", "list": "no-id"}, "valid UUID"),
        ({"kind": "set_field", "field": "sideways", "value": "x"}, "Select a valid choice"),
        ({"kind": "set_field", "field": "timezone", "value": "Mars"}, "This is no time zone"),
        ({"kind": "erase", "typed": "7"}, "Type 2 to go ahead"),
        ({"kind": "erase", "typed": ""}, "This field is required"),
        ({"kind": "add_tag", "tag": "a\x00b"}, "Null characters"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_started(
    client: Client, cast: Cast, ids: list[UUID], values: dict[str, str], message: str
) -> None:
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer = client.post(reverse("contact_bulk"), {**values, "contact": [str(one) for one in ids[:2]]})
    assert answer.status_code == 422
    assert message in text_of(answer)
    with tenant_scope(cast.clinic.tenant.id):
        assert ContactJob.objects.count() == 0


@pytest.mark.parametrize(
    "data", [{}, {"kind": "sideways"}, {"kind": "archive"}, {"kind": "archive", "contact": ["x", "\x00", "1"]}]
)
def test_without_anybody_or_anything_the_list_comes_back(client: Client, cast: Cast, data: dict[str, Any]) -> None:
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer: Any = client.post(reverse("contact_bulk"), data)
    assert (answer.status_code, answer.url) == (302, reverse("contacts"))


def test_too_many_chosen_one_by_one(client: Client, cast: Cast) -> None:
    sign_in(client, cast.alice, cast.clinic.tenant)
    data = {"kind": "archive", "contact": [str(uuid4()) for _ in range(450)]}
    answer = client.post(reverse("contact_bulk"), data)
    assert (answer.status_code, "Use a filter for more" in text_of(answer)) == (422, True)


def test_erasing_many_asks_who_it_is(client: Client, cast: Cast, ids: list[UUID]) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    confirm(client, cast.mona, seconds_ago=3600)
    answer: Any = client.post(reverse("contact_bulk"), {"kind": "erase", "contact": [str(ids[0])], "typed": "1"})
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/")
    with tenant_scope(cast.clinic.tenant.id):
        assert ContactJob.objects.count() == 0


def test_jobs_are_the_tenants_own(client: Client, cast: Cast, ids: list[UUID]) -> None:
    job = job_of(cast, "archive", People(ids))
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.get(reverse("contact_job", args=[job.id])).status_code == 404
    assert client.post(reverse("contact_job_cancel", args=[job.id])).status_code == 404
    assert "Archive" not in text_of(client.get(reverse("contact_jobs")))
    data = {"kind": "archive", "contact": [str(one) for one in ids]}
    client.post(reverse("contact_bulk"), data)
    with tenant_scope(cast.shop.tenant.id):
        theirs = ContactJob.objects.get()
    run_job(cast.shop.tenant.id, theirs.id)
    assert now(theirs).counts == {"not_found": 6}
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get_queryset().active().count() == 6
        assert ContactList.objects.count() == 0
