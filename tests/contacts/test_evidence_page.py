"""The evidence pack of a person, from their page."""

import io
import json
import zipfile

import pytest
from django.test import Client
from django.urls import reverse

from consent.ledger import OptIn, record_opt_ins
from contacts.models import Contact
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.web import sign_in

ANN = "+12025550101"

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(cast: Cast) -> Contact:
    with tenant_scope(cast.clinic.tenant.id):
        return Contact.objects.create(number=ANN, first_name="Ann")


def test_the_pack_is_downloaded(client: Client, cast: Cast, ann: Contact) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "marketing", "web_form", "Yes, text me")], actor_id=None)
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer = client.post(reverse("contact_evidence", args=[ann.id]))
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        pack = json.loads(archive.read("pack.json"))
    assert pack["number"] == ANN
    assert [entry["wording"] for entry in pack["entries"]] == ["Yes, text me"]


def test_of_nothing_there_is_no_pack_and_the_page_says_so(client: Client, cast: Cast, ann: Contact) -> None:
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer = client.post(reverse("contact_evidence", args=[ann.id]), follow=True)
    assert answer.redirect_chain == [(reverse("contact", args=[ann.id]), 302)]
    assert "Nothing is recorded about this number" in answer.content.decode()


def test_it_is_for_those_who_run_the_business(client: Client, cast: Cast, ann: Contact) -> None:
    sign_in(client, cast.vera, cast.clinic.tenant)
    assert client.post(reverse("contact_evidence", args=[ann.id])).status_code == 403


def test_another_business_has_no_such_person(client: Client, cast: Cast, ann: Contact) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.post(reverse("contact_evidence", args=[ann.id])).status_code == 404
