"""The time zone of a contact: noted with where it is from, else found by the number."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from contacts.importing.run import run_import
from contacts.models import Contact
from contacts.services import create_contact, merge_contacts, undo_import, update_contact
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.contacts.test_bulk import run
from tests.contacts.test_import import load
from tests.web import sign_in

ANN, BEN, CLEO, DAN = "+12025550101", "+12025550102", "+12025550103", "+12025550104"
IDAHO = "+12085550199"


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


def person(cast: Cast, number: str, **values: str) -> Contact:
    with tenant_scope(cast.clinic.tenant.id):
        return create_contact(tenant=cast.clinic.tenant, number=number, values=values)


def noted(cast: Cast) -> dict[str, tuple[str, str]]:
    with tenant_scope(cast.clinic.tenant.id):
        rows = Contact.objects.values_list("number", "timezone", "timezone_source")
        return {number: (zone, source) for number, zone, source in rows}


def words_of(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_the_page_says_the_zone_and_where_it_is_from(alice: Client, cast: Cast) -> None:
    for number, words in (
        (ANN, "America/New_York (likely, going by the number)"),
        (IDAHO, "America/New_York (the zone of your business, because theirs is not known)"),
    ):
        assert words in words_of(alice.get(reverse("contact", args=[person(cast, number).id])))
    ben = person(cast, BEN, timezone="Asia/Tokyo")
    page = words_of(alice.get(reverse("contact", args=[ben.id])))
    assert "Asia/Tokyo (chosen by your team)" in page
    assert "JST" in page


def test_staff_choose_zone_and_language(alice: Client, cast: Cast) -> None:
    ann = person(cast, ANN)
    edit = reverse("contact_edit", args=[ann.id])
    page = alice.get(edit).content.decode()
    assert '<option value="Europe/Berlin">Germany</option>' in page
    assert "likely America/New_York" in page
    alice.post(edit, {"timezone": "los angeles", "language": "es"})
    assert noted(cast) == {ANN: ("America/Los_Angeles", "staff")}
    page = alice.get(edit).content.decode()
    assert 'value="America/Los_Angeles"' in page
    assert '<option value="es" selected>Spanish</option>' in page
    alice.post(edit, {"timezone": "", "language": "es"})
    assert noted(cast) == {ANN: ("", "")}


@pytest.mark.parametrize("wrong", [{"timezone": "Mars"}, {"timezone": "a\x00b"}, {"language": "<i>"}])
def test_what_is_no_zone_or_language_is_refused_and_kept(alice: Client, cast: Cast, wrong: dict[str, str]) -> None:
    ann = person(cast, ANN, timezone="Asia/Tokyo")
    answer = alice.post(reverse("contact_edit", args=[ann.id]), {"timezone": "Asia/Tokyo", "last_name": "Kept"} | wrong)
    assert answer.status_code == 422
    assert 'value="Kept"' in answer.content.decode()
    assert noted(cast) == {ANN: ("Asia/Tokyo", "staff")}


def test_a_language_of_an_imported_file_that_is_not_offered_stays(alice: Client, cast: Cast) -> None:
    ann = person(cast, ANN, language="tlh")
    answer = alice.post(reverse("contact_edit", args=[ann.id]), {"language": "tlh", "first_name": "Ann"})
    assert answer.status_code == 302


def test_a_merge_takes_the_source_with_the_zone(cast: Cast) -> None:
    ann, ben = person(cast, ANN), person(cast, BEN, timezone="Asia/Tokyo")
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.filter(id=ben.id).update(timezone_source="import")
        ben.refresh_from_db()
        merge_contacts(kept=ann, gone=ben, taken=[])
    assert noted(cast) == {ANN: ("Asia/Tokyo", "import")}


@pytest.mark.django_db(transaction=True)
def test_the_source_goes_with_the_zone_through_bulk_import_and_undo(alice: Client, cast: Cast) -> None:
    ben, _, dan = person(cast, BEN), person(cast, CLEO, timezone="Asia/Tokyo"), person(cast, DAN)
    run(cast, "set_field", [ben.id], field="timezone", value="berlin")
    run(cast, "set_field", [dan.id], field="timezone", value="")
    before = {BEN: ("Europe/Berlin", "staff"), CLEO: ("Asia/Tokyo", "staff"), DAN: ("", "")}
    assert noted(cast) == before
    rows = f"{ANN},chicago\n{BEN},America/Denver\n{CLEO},Asia/Tokyo\n{DAN},\n"
    job = load(cast, f"phone,time zone\n{rows}")
    assert noted(cast) == {
        ANN: ("America/Chicago", "import"),
        BEN: ("America/Denver", "import"),
        CLEO: ("Asia/Tokyo", "staff"),
        DAN: ("", ""),
    }
    page = alice.get(reverse("import_job", args=[job.id]))
    assert [changes for _, _, changes in page.context["rows"] if changes] == [
        [("Time zone", "Europe/Berlin", "America/Denver")]
    ]
    with tenant_scope(cast.clinic.tenant.id):
        undo_import(job=job, by_caller=True)
    run_import(cast.clinic.tenant.id, job.id)
    assert noted(cast) == before


def test_a_change_of_something_else_leaves_the_source(cast: Cast) -> None:
    ann = person(cast, ANN, timezone="Asia/Tokyo")
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.update(timezone_source="import")
        ann.refresh_from_db()
        update_contact(contact=ann, values={"first_name": "Ann", "timezone": "Asia/Tokyo"})
    assert noted(cast) == {ANN: ("Asia/Tokyo", "import")}
