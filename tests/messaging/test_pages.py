"""Senders, templates, consent & compliance, and the virtual phones."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from consent.decision import RULES_VERSION
from consent.gate import REASONS
from consent.keywords import VERSION as KEYWORDS_VERSION
from contacts.services import create_field, delete_field
from messaging.models import MessageTemplate, ProviderAccount, Sender
from messaging.services import add_sender
from tenants.models import User
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

HOSTILE = "<script>alert(1)</script>\"'{{ x }}"
SID = "AC" + "0f" * 16
HTMX = {"HX-Request": "true"}
PHONE = "+12025550142"
NOBODYS = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    """The clinic's owner, signed in."""
    sign_in(client, cast.alice, cast.clinic.tenant)
    return client


@pytest.fixture
def template(cast: Cast) -> MessageTemplate:
    with tenant_scope(cast.clinic.tenant.id):
        return MessageTemplate.objects.create(name="News", purpose="marketing", body="Hi {{ first_name | there }}")


def senders_of(company: Company) -> dict[str, tuple[str, bool]]:
    """Status and default by number."""
    with tenant_scope(company.tenant.id):
        return {row.value: (row.status, row.is_default) for row in Sender.objects.all()}


# --- Who may see and do what ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["senders", "templates", "compliance"])
@pytest.mark.parametrize("name", ["alice", "mona", "bob", "vera"])
def test_every_member_may_look(client: Client, cast: Cast, template: MessageTemplate, page: str, name: str) -> None:
    user: User = getattr(cast, name)
    sign_in(client, user, cast.clinic.tenant)
    response = client.get(reverse(page))
    assert response.status_code == 200
    may_manage = name in ("alice", "mona")
    assert ("Add a number" in text_of(response)) is (may_manage and page == "senders")
    assert (reverse("template_new") in text_of(response)) is (may_manage and page == "templates")


@pytest.mark.parametrize("name", ["bob", "vera"])
def test_changing_settings_needs_the_permission(
    client: Client, cast: Cast, template: MessageTemplate, name: str
) -> None:
    user: User = getattr(cast, name)
    sign_in(client, user, cast.clinic.tenant)
    assert client.get(reverse("template_new")).status_code == 403
    assert client.get(reverse("template_edit", args=[template.id])).status_code == 403
    for url in (
        reverse("account_add"),
        reverse("account_token", args=[cast.clinic.account.id]),
        reverse("account_act", args=[cast.clinic.account.id, "pause"]),
        reverse("sender_add"),
        reverse("sender_act", args=[cast.clinic.sender.id, "pause"]),
        reverse("template_new"),
        reverse("template_delete", args=[template.id]),
    ):
        assert client.post(url, {}).status_code == 403, url
    assert senders_of(cast.clinic) == {"+12025550190": ("active", True)}


def test_another_tenants_things_do_not_exist(client: Client, cast: Cast, template: MessageTemplate) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    for template_id in (template.id, uuid4()):
        assert client.get(reverse("template_edit", args=[template_id])).status_code == 404
        assert client.post(reverse("template_delete", args=[template_id])).status_code == 404
    for action in ("default", "pause", "activate"):
        assert client.post(reverse("sender_act", args=[cast.clinic.sender.id, action])).status_code == 404
    for action in ("pause", "activate"):
        assert client.post(reverse("account_act", args=[cast.clinic.account.id, action])).status_code == 404
    assert client.post(reverse("account_token", args=[cast.clinic.account.id])).status_code == 404
    assert "News" not in text_of(client.get(reverse("templates")))
    page = text_of(client.get(reverse("senders")))
    assert "(202) 555-0190" not in page
    assert str(cast.clinic.account.id) not in page


@pytest.mark.parametrize("page", ["senders", "templates", "template_new", "compliance"])
def test_signed_out_leads_to_the_login(client: Client, db: None, page: str) -> None:
    url = reverse(page)
    assert client.get(url)["Location"] == f"{reverse('account_login')}?next={quote(url, safe='')}"


def test_names_are_shown_as_written_never_run(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        kept = MessageTemplate.objects.create(name=HOSTILE, body=HOSTILE)
        Sender.objects.update(label=HOSTILE)
        ProviderAccount.objects.update(name=HOSTILE)
        create_field(label=HOSTILE[:60], kind="text")
    for response in (
        alice.get(reverse("templates"), {"q": "script"}),
        alice.get(reverse("template_edit", args=[kept.id])),
        alice.post(reverse("part_count"), {"body": HOSTILE + "–"}),
        alice.get(reverse("senders")),
        alice.post(reverse("account_add"), {"name": HOSTILE, "account_sid": HOSTILE}),
    ):
        assert "<script>alert" not in response.content.decode()
    assert HOSTILE in text_of(alice.get(reverse("templates")))


# --- Senders ----------------------------------------------------------------------------------------------------------


def test_a_twilio_account_is_connected_and_shows_its_two_addresses(alice: Client, cast: Cast, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://texts.example"
    typed = {"name": "Main", "account_sid": SID, "auth_token": "the-token", "answers_keywords": "on"}
    page = text_of(alice.post(reverse("account_add"), typed, follow=True))
    with tenant_scope(cast.clinic.tenant.id):
        account = ProviderAccount.objects.get(kind="twilio")
    secrets = {"account_sid": SID, "auth_token": "the-token", "api_key_sid": "", "api_key_secret": ""}
    assert account.credentials == secrets
    assert account.answers_keywords is True
    for what in ("inbound", "status"):
        address = f"https://texts.example/callbacks/twilio/{account.id}/{what}"
        assert address in page
        assert address.endswith(reverse(f"callback_{what}", args=["twilio", account.id]))
    assert "cannot reach these addresses" not in page
    assert "the-token" not in page


def test_an_api_key_is_entered_and_taken_back(alice: Client, cast: Cast) -> None:
    key = {"api_key_sid": "SK" + "a" * 32, "api_key_secret": "key-secret"}
    page = text_of(
        alice.post(
            reverse("account_add"), {"name": "Main", "account_sid": SID, "auth_token": "t" * 32, **key}, follow=True
        )
    )
    assert "key-secret" not in page
    with tenant_scope(cast.clinic.tenant.id):
        account = ProviderAccount.objects.get(kind="twilio")
    assert account.credentials == {"account_sid": SID, "auth_token": "t" * 32, **key}
    address = reverse("account_token", args=[account.id])
    assert alice.post(address, {"auth_token": "t" * 32, "api_key_sid": key["api_key_sid"]}).status_code == 422
    assert alice.post(address, {"auth_token": "t" * 32}).status_code == 302
    with tenant_scope(cast.clinic.tenant.id):
        account.refresh_from_db()
    assert account.credentials == {
        "account_sid": SID,
        "auth_token": "t" * 32,
        "api_key_sid": "",
        "api_key_secret": "",
    }


def test_addresses_that_twilio_cannot_reach_are_pointed_out(alice: Client, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    typed = {"name": "Main", "account_sid": SID, "auth_token": "the-token"}
    assert "cannot reach these addresses" in text_of(alice.post(reverse("account_add"), typed, follow=True))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"account_sid": "AC123"}, "An account SID is AC and 32 digits or letters a to f."),
        ({"auth_token": ""}, "This field is required."),
        ({"api_key_sid": "SK123"}, "An API key's SID is SK and 32 digits or letters a to f."),
        ({"api_key_sid": "SK" + "a" * 32}, "An API key has a SID and a secret."),
        ({"api_key_secret": "s" * 32}, "An API key has a SID and a secret."),
        ({"name": "Simulator"}, "There is an account with this name already."),
        ({"name": "x" * 81}, "Ensure this value has at most 80 characters (it has 81)."),
        ({"name": "a\x00"}, "Null characters are not allowed."),
    ],
    ids=str,
)
def test_a_wrong_account_comes_back_in_its_dialog(
    alice: Client, cast: Cast, changes: dict[str, str], problem: str
) -> None:
    typed = {"name": "Main", "account_sid": SID, "auth_token": "the-token", **changes}
    response = alice.post(reverse("account_add"), typed)
    assert response.status_code == 422
    page = text_of(response)
    assert problem in page
    assert typed["name"] in page
    assert typed["account_sid"] in page
    # A secret is typed again rather than sent back.
    assert "the-token" not in page
    assert page.count("data-dialog-show") == 1
    with tenant_scope(cast.clinic.tenant.id):
        assert not ProviderAccount.objects.filter(kind="twilio").exists()


def test_a_number_is_added(alice: Client, cast: Cast) -> None:
    typed = {"account": str(cast.clinic.account.id), "value": "(202) 555-0177", "kind": "long_code", "label": "Desk"}
    page = text_of(alice.post(reverse("sender_add"), typed, follow=True))
    assert "(202) 555-0177" in page
    assert "Desk" in page
    assert senders_of(cast.clinic)["+12025550177"] == ("active", False)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"value": "12"}, "No such number can exist"),
        ({"value": "+12025550190"}, "This number is a sender already."),
        ({"kind": "short_code"}, "A short code has 3 to 8 digits."),
        ({"kind": "pigeon"}, "Select a valid choice."),
        ({"account": NOBODYS}, "Select a valid choice."),
        ({"account": "x"}, "is not a valid UUID."),
    ],
    ids=str,
)
def test_a_wrong_number_comes_back_in_its_dialog(
    alice: Client, cast: Cast, changes: dict[str, str], problem: str
) -> None:
    typed = {"account": str(cast.clinic.account.id), "value": "(202) 555-0177", "kind": "long_code", **changes}
    response = alice.post(reverse("sender_add"), typed)
    assert response.status_code == 422
    assert problem in text_of(response)
    assert f'value="{typed["value"]}"' in text_of(response)
    assert len(senders_of(cast.clinic)) == 1


def test_another_tenants_account_cannot_carry_a_number(alice: Client, cast: Cast) -> None:
    typed = {"account": str(cast.shop.account.id), "value": "(202) 555-0177", "kind": "long_code"}
    assert alice.post(reverse("sender_add"), typed).status_code == 422
    assert str(cast.shop.account.id) not in text_of(alice.get(reverse("senders")))


def test_numbers_are_paused_taken_up_and_made_the_usual_one(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        second = add_sender(
            tenant=cast.clinic.tenant, account=cast.clinic.account, value="+12025550177", kind="long_code"
        )
    alice.post(reverse("sender_act", args=[second.id, "default"]))
    assert senders_of(cast.clinic) == {"+12025550190": ("active", False), "+12025550177": ("active", True)}
    alice.post(reverse("sender_act", args=[second.id, "pause"]))
    assert senders_of(cast.clinic)["+12025550177"] == ("paused", True)
    assert "Take it up again" in text_of(alice.get(reverse("senders")))
    alice.post(reverse("sender_act", args=[second.id, "activate"]))
    assert senders_of(cast.clinic)["+12025550177"] == ("active", True)
    assert alice.get(reverse("sender_act", args=[second.id, "pause"])).status_code == 405


def test_without_an_account_the_page_starts_with_one(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Sender.objects.all().delete()
        ProviderAccount.objects.all().delete()
    page = text_of(alice.get(reverse("senders")))
    assert "Nothing can be sent yet" in page
    assert "sender-dialog" not in page


# --- Templates --------------------------------------------------------------------------------------------------------


def test_a_template_is_written_changed_and_deleted(alice: Client, cast: Cast) -> None:
    typed = {"name": "Booked", "purpose": "transactional", "body": "Your visit is booked."}
    assert alice.post(reverse("template_new"), typed)["Location"] == reverse("templates")
    with tenant_scope(cast.clinic.tenant.id):
        kept = MessageTemplate.objects.get()
    page = text_of(alice.get(reverse("templates")))
    assert "1 part" in page
    assert f"{reverse('campaign_new')}?template=Booked" in page
    alice.post(reverse("template_edit", args=[kept.id]), {**typed, "body": "x" * 161})
    assert "2 parts" in text_of(alice.get(reverse("templates")))
    alice.post(reverse("template_delete", args=[kept.id]))
    assert "No templates yet" in text_of(alice.get(reverse("templates")))


def test_only_what_a_campaign_can_send_leads_to_one(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        MessageTemplate.objects.create(name="Missed", purpose="reminder", body="We missed you.")
    assert "Write a campaign" not in text_of(alice.get(reverse("templates")))


def test_templates_are_searched(alice: Client, template: MessageTemplate) -> None:
    assert "News" in text_of(alice.get(reverse("templates"), {"q": "NEW"}))
    assert "News" in text_of(alice.get(reverse("templates"), {"q": "first_name"}))
    assert "No template matches" in text_of(alice.get(reverse("templates"), {"q": "zzz"}))
    assert alice.get(reverse("templates"), {"q": "\x00%_"}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "  news "}, "There is a template with this name already."),
        ({"purpose": "gossip"}, "Select a valid choice."),
        ({"body": ""}, "This field is required."),
        ({"body": "Hi {{ first_name"}, "is not closed."),
        ({"body": "x" * 1601}, "Ensure this value has at most 1600 characters (it has 1601)."),
        ({"body": "\x00"}, "Null characters are not allowed."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_template_comes_back(
    alice: Client, cast: Cast, template: MessageTemplate, changes: dict[str, str], problem: str
) -> None:
    typed = {"name": "Offer", "purpose": "marketing", "body": "Hi {{ first_name }}", **changes}
    response = alice.post(reverse("template_new"), typed)
    assert response.status_code == 422
    page = text_of(response)
    assert problem in page
    assert typed["body"] in page
    with tenant_scope(cast.clinic.tenant.id):
        assert MessageTemplate.objects.count() == 1


def test_saving_nothing_at_all_says_what_is_missing(alice: Client) -> None:
    assert alice.post(reverse("template_new"), {}).status_code == 422


def test_the_form_counts_parts_and_offers_tags(alice: Client, cast: Cast, template: MessageTemplate) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        create_field(label="Pet’s name", kind="text")
        delete_field(field=create_field(label="Old", kind="text"))
        create_field(label="Brand", kind="text")
    page = text_of(alice.get(reverse("template_edit", args=[template.id])))
    counted = {"body": "{{ pet_s_name }} {{ old }} {{ brand }}", "with_tags": "1"}
    problems = alice.post(f"{reverse('part_count')}?with_tags=1", counted).context["problems"]
    assert problems == ["“old” is not a known tag. Use one of the tags offered."]
    assert 'data-insert="{{ first_name | there }}"' in page
    assert 'data-insert="{{ pet_s_name }}"' in page
    assert "Pet’s name" in page
    assert 'data-insert="{{ old }}"' not in page
    assert page.count('data-insert="{{ brand }}"') == 1
    assert "1 part" in page


# --- The part counter -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("x" * 160, ["1 part", "0 more characters fit."]),
        ("x" * 159, ["1 more character fits."]),
        ("x" * 161, ["2 parts", "costs 2 texts"]),
        ("8 – 5", ["1 part", "only 70 characters", 'data-replace="–"', 'data-replace-with="-"']),
        ("“8 – 5”", ["Replace all such characters", 'data-fill="\\"8 - 5\\""']),
        ("zero\u200bwidth", ["zero width space", "Leave it out"]),
        ("Zażółć 🎉", ["only 70 characters"]),
        ("Hi {{ nam", ["is not closed"]),
        ("", ["appears here"]),
        ("x" * 20_000, ["33 parts"]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_the_part_counter_says_what_a_text_costs(alice: Client, body: str, says: list[str]) -> None:
    page = text_of(alice.post(f"{reverse('part_count')}?with_tags=1", {"body": body}))
    for words in says:
        assert words.replace('\\"', '"') in page


def test_a_reply_has_a_short_counter_without_tags(alice: Client) -> None:
    page = text_of(alice.post(f"{reverse('part_count')}?short=1", {"body": "{{ x – y"}))
    assert "1 part" in page
    assert "is not closed" not in page


# --- Consent & compliance ---------------------------------------------------------------------------------------------


def test_the_page_shows_what_is_in_force(alice: Client, cast: Cast) -> None:
    page = text_of(alice.get(reverse("compliance")))
    positions = [page.index(reason) for reason in REASONS.values()]
    assert positions == sorted(positions)
    for words in (RULES_VERSION, KEYWORDS_VERSION, "STOPALL", "Spanish", "BAJA", "Vietnamese", "Chinese"):
        assert words in page
    assert f"{cast.clinic.tenant.brand_name}: You are opted out" in page
