"""The pages of pools and weights: who may change them, what they answer to bad input, and where a campaign names one."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from messaging.models import ProviderAccount, Sender, SenderPool
from messaging.services import add_sender, make_default_pool, make_default_sender, save_pool
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_list
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


def pool_of(company: Company, name: str = "Local numbers") -> SenderPool:
    with tenant_scope(company.tenant.id):
        return save_pool(name=name, senders=[company.sender])


def members(company: Company, pool: SenderPool) -> set[str]:
    with tenant_scope(company.tenant.id):
        return set(Sender.objects.filter(pool=pool).values_list("value", flat=True))


def test_a_pool_is_made_renamed_and_changed(alice: Client, cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        other = add_sender(tenant=clinic.tenant, account=clinic.account, value="+14155550123", kind="long_code")
    answer = alice.post(reverse("pool_add"), {"name": " Near ", "senders": [str(clinic.sender.id)]}, follow=True)
    assert "Pool saved." in text_of(answer)
    with tenant_scope(clinic.tenant.id):
        pool = SenderPool.objects.get()
    assert (pool.name, members(clinic, pool)) == ("Near", {clinic.sender.value})
    alice.post(reverse("pool_edit", args=[pool.id]), {"name": "Far", "senders": [str(other.id)]})
    assert members(clinic, pool) == {other.value}
    page = text_of(alice.get(reverse("senders")))
    assert "Far" in page
    assert "Near" not in page


@pytest.mark.parametrize(
    ("posted", "says"),
    [
        ({"name": ""}, "This field is required."),
        ({"senders": []}, "Choose at least one number."),
        ({"name": "Taken"}, "There is a pool with this name already."),
        ({"name": "x" * 61}, "at most 60 characters"),
        ({"senders": ["nonsense"]}, "is not a valid"),
    ],
)
def test_bad_input_is_answered(alice: Client, cast: Cast, posted: dict[str, Any], says: str) -> None:
    pool_of(cast.clinic, "Taken")
    answer = alice.post(reverse("pool_add"), {"name": "New", "senders": [str(cast.clinic.sender.id)], **posted})
    assert answer.status_code == 422
    assert says in text_of(answer)


def test_another_tenants_number_and_pool_are_out_of_reach(alice: Client, cast: Cast) -> None:
    answer = alice.post(reverse("pool_add"), {"name": "New", "senders": [str(cast.shop.sender.id)]})
    assert answer.status_code == 422
    foreign = pool_of(cast.shop)
    assert alice.get(reverse("pool_edit", args=[foreign.id])).status_code == 404
    people = make_list(cast.clinic, ["+12025550101"])
    typed = {"name": "New", "purpose": "marketing", "body": "Hello", "lists": [str(people.id)]}
    assert alice.post(reverse("campaign_new"), {**typed, "sender": f"pool:{foreign.id}"}).status_code == 422


def test_a_pool_or_a_number_is_the_usual_one(alice: Client, cast: Cast) -> None:
    clinic, pool = cast.clinic, pool_of(cast.clinic)
    alice.post(reverse("pool_default", args=[pool.id]))
    page = text_of(alice.get(reverse("senders")))
    assert "The usual pool" in page
    assert "The usual number" not in page
    with tenant_scope(clinic.tenant.id):
        make_default_sender(sender=clinic.sender)
    page = text_of(alice.get(reverse("senders")))
    assert "The usual number" in page
    assert "The usual pool" not in page


def test_a_campaign_names_a_pool(alice: Client, cast: Cast) -> None:
    clinic, pool = cast.clinic, pool_of(cast.clinic)
    people = make_list(clinic, ["+12025550101"])
    with tenant_scope(clinic.tenant.id):
        make_default_pool(pool=pool)
    assert "The usual pool (Local numbers)" in text_of(alice.get(reverse("campaign_new")))
    typed = {"name": "New", "purpose": "marketing", "body": "Hello", "lists": [str(people.id)]}
    answer = alice.post(reverse("campaign_new"), {**typed, "sender": f"pool:{pool.id}"}, follow=True)
    assert "Local numbers (1 number" in text_of(answer)
    with tenant_scope(clinic.tenant.id):
        campaign = Campaign.objects.get()
    assert (campaign.pool_id, campaign.sender_id) == (pool.id, None)
    assert f'value="pool:{pool.id}" selected' in text_of(alice.get(reverse("campaign_edit", args=[campaign.id])))
    alice.post(reverse("campaign_edit", args=[campaign.id]), {**typed, "sender": str(clinic.sender.id)})
    with tenant_scope(clinic.tenant.id):
        campaign = Campaign.objects.get()
    assert (campaign.pool_id, campaign.sender_id) == (None, clinic.sender.id)


@pytest.mark.parametrize(("weight", "stays"), [("20", False), ("0", True), ("101", True), ("x", True), ("", True)])
def test_a_weight_is_from_1_to_100(alice: Client, cast: Cast, weight: str, stays: bool) -> None:
    account = cast.clinic.account
    answer = alice.post(reverse("account_weight", args=[account.id]), {"weight": weight})
    assert answer.status_code == (422 if stays else 302)
    with tenant_scope(cast.clinic.tenant.id):
        assert ProviderAccount.objects.get().weight == (50 if stays else 20)


@pytest.mark.parametrize("who", ["bob", "vera"])
def test_only_managers_change_them(client: Client, cast: Cast, who: str) -> None:
    pool = pool_of(cast.clinic)
    sign_in(client, getattr(cast, who), cast.clinic.tenant)
    assert "Local numbers" in text_of(client.get(reverse("senders")))
    for name, args in (
        ("pool_add", []),
        ("pool_edit", [pool.id]),
        ("pool_default", [pool.id]),
        ("account_weight", [cast.clinic.account.id]),
    ):
        assert client.post(reverse(name, args=args), {"weight": "3", "name": "x"}).status_code == 403
