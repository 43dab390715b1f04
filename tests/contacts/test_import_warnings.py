"""Signs of a list that was bought or made up: each is named, and the import needs one more word because of it."""

from collections.abc import Iterable

import pytest
from django.test import Client
from django.urls import reverse

from contacts.importing.run import run_import
from contacts.models import Contact, ContactImport
from contacts.services import check_import, upload_import
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast
from tests.web import sign_in, text_of


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The check commits range by range, over connections of its own."""
    return make_cast()


AREAS = "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228".split()


def people(numbers: Iterable[str], *, named: bool = True) -> str:
    rows = [f"{number},{f'Ann{n}' if named else ''}" for n, number in enumerate(numbers)]
    return "\n".join(["phone,first name", *rows, ""])


def scattered(count: int, areas: list[str] = AREAS) -> list[str]:
    """Numbers no two of which follow one another."""
    return [f"+1{areas[n % len(areas)]}5{(n * 7919 + 13) % 999_999:06d}" for n in range(count)]


IN_A_ROW = [f"+1202555{n:04d}" for n in range(1_000, 1_260)]

SIGNS = {
    "sequential": people([*scattered(200), *IN_A_ROW]),
    "rejected": people([*scattered(200), *["12345"] * 60]),
    "nameless": people(scattered(210), named=False),
}
FINE = {
    "scattered": people(scattered(400)),
    "few in a row": people([*scattered(200), *IN_A_ROW[:200]]),
    "few rows": people(["12345"] * 20 + scattered(20), named=False),
}


def checked(cast: Cast, content: str) -> ContactImport:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        job = upload_import(tenant=tenant, file_name="list.csv", content=content.encode(), user_id=cast.alice.id)
        check_import(job=job, columns=job.columns, basis="paper", purposes=["marketing"])
    run_import(tenant.id, job.id)
    with tenant_scope(tenant.id):
        return ContactImport.objects.get(id=job.id)


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_is_named_and_somebody_must_vouch(client: Client, cast: Cast, sign: str) -> None:
    job = checked(cast, SIGNS[sign])
    assert [each["sign"] for each in job.warnings] == [sign]
    alice = sign_in(client, cast.alice, cast.clinic.tenant)
    page = text_of(alice.get(reverse("import_job", args=[job.id])))
    assert str(job.warnings[0]["text"]) in page
    confirm = reverse("import_confirm", args=[job.id])
    assert "Say that these people gave their numbers to you" in text_of(alice.post(confirm))
    with tenant_scope(cast.clinic.tenant.id):
        assert ContactImport.objects.get(id=job.id).status == ContactImport.Status.CHECKED
    assert alice.post(confirm, {"accepts_warnings": "yes"}).status_code == 302
    with tenant_scope(cast.clinic.tenant.id):
        assert ContactImport.objects.get(id=job.id).status == ContactImport.Status.IMPORTING
        entry = AuditEntry.objects.get(action="import.confirmed")
        assert (entry.actor_id, entry.after) == (cast.alice.id, {"vouched_for": [sign]})


@pytest.mark.parametrize("name", FINE)
def test_an_ordinary_list_is_not_suspected(client: Client, cast: Cast, name: str) -> None:
    job = checked(cast, FINE[name])
    assert job.warnings == []
    alice = sign_in(client, cast.alice, cast.clinic.tenant)
    assert alice.post(reverse("import_confirm", args=[job.id])).status_code == 302


@pytest.mark.parametrize(("known", "signs"), [(100, []), (2_000, ["areas"])])
def test_people_from_elsewhere_are_strange_to_an_established_business_only(
    cast: Cast, known: int, signs: list[str]
) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.bulk_create(Contact(number=number) for number in scattered(known, ["303"]))
    assert [each["sign"] for each in checked(cast, people(scattered(300))).warnings] == signs
