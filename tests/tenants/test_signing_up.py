"""Becoming a customer: two short steps, a confirmed address, and nobody learns who has an account."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from tenants.models import AuditEntry, Membership, Tenant, User
from tenants.scope import all_tenants, tenant_scope
from tenants.services import open_tenant
from tests.cast import PASSWORD, Cast
from tests.web import text_of

pytestmark = pytest.mark.django_db

STELLA = "stella@bakery.example"
ACCOUNT = {"name": "Stella Stein", "email": STELLA, "password1": "a quite long pass phrase"}
BUSINESS = {
    "name": "Stella's Bakery",
    "country": "DE",
    "timezone": "Europe/Berlin",
    "brand_name": "Stella",
    "help_contact": "+49 30 901820",
}
SIGN_UP, CONFIRM = "/accounts/signup/", "/accounts/confirm-email/"


def code_in(message: mail.EmailMessage) -> str:
    found = re.search(r"^([A-Z0-9-]{6,})$", str(message.body), re.MULTILINE)
    assert found, message.body
    return found.group(1)


@pytest.fixture
def stella(client: Client) -> Client:
    """Signed up and confirmed, without a business yet."""
    client.post(SIGN_UP, ACCOUNT)
    answer = client.post(CONFIRM, {"code": code_in(mail.outbox[-1])})
    assert answer.headers["Location"] == reverse("tenant_new")
    mail.outbox.clear()
    return client


def tenants_of(email: str) -> list[Tenant]:
    with all_tenants("looking at what became of it"):
        rows = Membership.objects.filter(user__email=email).select_related("tenant").order_by("tenant__created_at")
        return [row.tenant for row in rows]


def test_a_confirmed_address_is_not_confirmed_again(stella: Client) -> None:
    """The page stays in the browser's history."""
    for answer in (stella.get(CONFIRM), stella.post(CONFIRM, {"code": "WRONG1"})):
        assert answer.headers["Location"] == reverse("home")


def test_from_nothing_to_home(stella: Client) -> None:
    assert "Step 2 of 2" in text_of(stella.get(reverse("tenant_new")))
    answer = stella.post(reverse("tenant_new"), BUSINESS, follow=True)
    assert "Stella's Bakery is ready." in text_of(answer)
    assert answer.request["PATH_INFO"] == reverse("home")
    (tenant,) = tenants_of(STELLA)
    assert {name: getattr(tenant, name) for name in BUSINESS} == BUSINESS
    assert tenant.in_trial
    user = User.objects.get(email=STELLA)
    assert user.has_confirmed_address()
    with tenant_scope(tenant.id):
        member = Membership.objects.get()
        assert (member.role, member.user, member.accepted_at is not None) == ("owner", user, True)
        entry = AuditEntry.objects.get(action="tenant.created")
        assert entry.actor_name == "Stella Stein"


def test_without_the_code_nothing_can_be_done(client: Client) -> None:
    answer = client.post(SIGN_UP, ACCOUNT)
    assert answer.headers["Location"] == CONFIRM
    for page in (reverse("home"), reverse("tenant_new")):
        assert client.get(page).headers["Location"].startswith(reverse("account_login"))
    again = Client().post(reverse("account_login"), {"login": STELLA, "password": ACCOUNT["password1"]})
    assert again.headers["Location"] == CONFIRM
    for _ in range(3):
        client.post(CONFIRM, {"code": "WRONG1"})
    client.post(CONFIRM, {"code": code_in(mail.outbox[0])})
    assert not User.objects.get(email=STELLA).has_confirmed_address(), "three tries, then the code is void"


def test_an_unconfirmed_person_opens_nothing() -> None:
    from django.core.exceptions import ValidationError

    user = User.objects.create_user(STELLA, PASSWORD)
    with pytest.raises(ValidationError, match="Confirm your e-mail"):
        open_tenant(owner=user, **BUSINESS)
    assert not Tenant.objects.exists()


def test_the_answer_is_the_same_with_and_without_an_account(cast: Cast) -> None:
    pages = set()
    for address in (cast.bob.email, "new@bakery.example"):
        client = Client()
        answer = client.post(SIGN_UP, ACCOUNT | {"email": address})
        page = client.get(answer.headers["Location"])
        assert page.status_code == 200
        wrong = client.post(answer.headers["Location"], {"code": "WRONG1"})
        texts = tuple(
            re.sub(r'"X-CSRFToken": "\w+"|csrfmiddlewaretoken" value="\w+"', "", text_of(one)).replace(address, "X")
            for one in (page, wrong)
        )
        pages.add((answer.status_code, answer.headers["Location"], wrong.status_code, *texts))
    assert len(pages) == 1
    known, unknown = (str(message.body) for message in mail.outbox)
    assert "There is one already" in known
    assert "testserver" not in known, "the mail names the public address, whatever host was asked"
    assert code_in(mail.outbox[1])
    assert unknown != known
    assert cast.bob.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"email": "nowhere"}, "valid e"),
        ({"email": "a\x00b@bakery.example"}, "Null characters are not allowed."),
        ({"email": f"{'x' * 400}@bakery.example"}, "at most"),
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"password1": "short"}, "too short"),
        ({"password1": STELLA}, "too similar"),
    ],
)
def test_a_bad_account_is_refused_and_what_was_typed_kept(
    client: Client, changes: dict[str, str], message: str
) -> None:
    answer = client.post(SIGN_UP, ACCOUNT | changes)
    assert answer.status_code == 422
    assert message in text_of(answer)
    if "name" not in changes:
        assert 'value="Stella Stein"' in text_of(answer)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "  "}, "This field is required."),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
        ({"name": "two\nlines"}, "Write this in one line."),
        ({"country": "XX"}, "Select a valid choice."),
        ({"timezone": "Mars/Olympus"}, "Select a valid choice."),
        ({"brand_name": "x" * 61}, "at most 60 characters"),
        ({"brand_name": "two\r\nlines"}, "Write this in one line."),
        ({"help_contact": ""}, "This field is required."),
        ({"help_contact": "ask anybody"}, "Give a phone number"),
        ({"help_contact": "javascript:alert(1)"}, "Give a phone number"),
        ({"help_contact": "12"}, "Give a phone number"),
    ],
)
def test_a_bad_business_is_refused_and_what_was_typed_kept(
    stella: Client, changes: dict[str, str], message: str
) -> None:
    answer = stella.post(reverse("tenant_new"), BUSINESS | changes)
    assert answer.status_code == 422
    page = text_of(answer)
    assert message in page
    if "timezone" not in changes:
        assert re.search(r'<option value="Europe/Berlin"[^>]* selected', page)
    assert not Tenant.objects.exists()


@pytest.mark.parametrize(
    "contact",
    [
        "care@harbor.example",
        "https://harbor.example/help",
        "(202) 555-0100",
        "Call 202-555-0100 or write to care@harbor.example.",
    ],
)
def test_help_contacts_that_lead_somewhere(stella: Client, contact: str) -> None:
    stella.post(reverse("tenant_new"), BUSINESS | {"help_contact": contact, "country": "US"})
    (tenant,) = tenants_of(STELLA)
    assert tenant.help_contact == contact


def test_a_countrys_main_zone_is_marked(stella: Client) -> None:
    """What the page offers when somebody chooses a country: for the United States not Adak, the first by name."""
    page = text_of(stella.get(reverse("tenant_new")))
    assert re.search(r'<option value="America/New_York"[^>]* data-main', page)
    assert not re.search(r'<option value="America/Adak"[^>]* data-main', page)
    assert re.search(r'<option value="Europe/Berlin"[^>]* data-main', page)


def test_markup_is_shown_and_never_run(stella: Client) -> None:
    hostile = "<script>alert('x')</script>\"><b>"
    page = stella.post(reverse("tenant_new"), BUSINESS | {"name": hostile, "brand_name": ""}, follow=True)
    assert hostile not in page.content.decode()
    (tenant,) = tenants_of(STELLA)
    assert (tenant.name, tenant.brand_name) == (hostile, hostile)


@pytest.mark.parametrize(("name", "slug"), [("Admin", "admin-account"), ("!!!", "tenant-2"), ("Ünïcode", "n-code")])
def test_slugs_are_never_parts_of_the_platform(stella: Client, name: str, slug: str) -> None:
    Tenant.objects.create(name="x", slug="tenant", brand_name="x")
    stella.post(reverse("tenant_new"), BUSINESS | {"name": name})
    (tenant,) = tenants_of(STELLA)
    assert tenant.slug in (slug, f"{slug}-account", "tenant-account")


def test_a_second_business_from_the_list_of_accounts(stella: Client) -> None:
    stella.post(reverse("tenant_new"), BUSINESS)
    assert reverse("tenant_new") in text_of(stella.get(reverse("tenant_switch")))
    stella.post(reverse("tenant_new"), BUSINESS | {"name": "Stella's Café"})
    assert [tenant.name for tenant in tenants_of(STELLA)] == ["Stella's Bakery", "Stella's Café"]
    assert "Stella's Café" in text_of(stella.get(reverse("home")))


def test_trials_without_end_are_refused(stella: Client) -> None:
    for number in range(3):
        stella.post(reverse("tenant_new"), BUSINESS | {"name": f"Bakery {number}"})
    answer = stella.post(reverse("tenant_new"), BUSINESS)
    assert answer.status_code == 422
    assert "Ask for approval of one first." in text_of(answer)
    assert len(tenants_of(STELLA)) == 3


def test_too_many_attempts_from_one_address(stella: Client) -> None:
    answers = [stella.post(reverse("tenant_new"), BUSINESS | {"name": ""}).status_code for _ in range(12)]
    assert 429 in answers


def test_sign_ups_from_one_address_are_limited(client: Client) -> None:
    answers = [client.post(SIGN_UP, ACCOUNT | {"email": "no"}).status_code for _ in range(25)]
    assert 429 in answers


def test_closed_sign_up(client: Client, cast: Cast, settings: Any) -> None:
    settings.SIGNUP_OPEN = False
    assert "Accounts are opened by invitation" in text_of(client.get(SIGN_UP))
    client.post(SIGN_UP, ACCOUNT)
    assert not User.objects.filter(email=STELLA).exists()
    assert "Create an account" not in text_of(client.get(reverse("account_login")))
    client.force_login(cast.bob)
    assert client.post(reverse("tenant_new"), BUSINESS).status_code == 403
    assert len(tenants_of(cast.bob.email)) == 1
    assert "Open another account" not in text_of(client.get(reverse("tenant_switch")))
