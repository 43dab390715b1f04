"""A new customer account: the command, and the owner's way in."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tenants.models import Tenant, User

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> str:
    out = StringIO()
    call_command("create_tenant", *arguments, stdout=out)
    return out.getvalue()


def test_it_prints_the_slug_and_a_link_that_works_once(settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "http://testserver"
    text = create(
        "North & South GmbH", "--owner-email", "Nora@North.example", "--country", "DE", "--timezone", "Europe/Berlin"
    )
    assert "slug: north-south-gmbh" in text
    tenant = Tenant.objects.get()
    assert (tenant.country, tenant.timezone, tenant.brand_name) == ("DE", "Europe/Berlin", "North & South GmbH")
    link = re.search(r"http://testserver(\S+)", text)
    assert link
    client = Client()
    page: Any = client.get(link.group(1), follow=True)
    answer: Any = client.post(
        page.request["PATH_INFO"], {"password1": "a long pass phrase", "password2": "a long pass phrase"}
    )
    assert answer.status_code == 302
    assert b"a long pass phrase" not in client.get(link.group(1), follow=True).content
    assert User.objects.get().check_password("a long pass phrase")
    again: Any = Client().get(link.group(1), follow=True)
    assert b"password1" not in again.content, "the link is used up"
    signed_in: Any = Client().post(
        "/accounts/login/", {"login": "nora@north.example", "password": "a long pass phrase"}, follow=True
    )
    assert b"Hello" in signed_in.content


def test_a_second_tenant_of_the_same_name_gets_its_own_slug() -> None:
    create("Acme", "--owner-email", "a@acme.example")
    assert "slug: acme-2" in create("Acme", "--owner-email", "b@acme.example")


def test_somebody_with_an_account_keeps_their_password() -> None:
    create("Acme", "--owner-email", "a@acme.example")
    user = User.objects.get()
    user.set_password("a long pass phrase")
    user.save()
    text = create("Beta", "--owner-email", "A@acme.example")
    assert "has an account already" in text
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["", "--owner-email", "a@acme.example"], "blank"),
        (["Acme", "--owner-email", "nobody"], "email"),
        (["Acme", "--owner-email", "a@acme.example", "--timezone", "Mars/Olympus"], "time zone"),
    ],
)
def test_bad_values_are_refused(arguments: list[str], hint: str) -> None:
    with pytest.raises(CommandError, match=hint):
        create(*arguments)
    assert not Tenant.objects.exists()
