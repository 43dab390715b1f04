"""Ada, who runs the platform, at work in the platform admin."""

from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from tenants.models import Tenant, User
from tests.cast import PASSWORD
from tests.web import confirm

__all__ = ["ada", "work_on"]


def ada(client: Client) -> User:
    """The client as a platform admin with a second step, who signed in just now."""
    user = User.objects.filter(email="ada@platform.example").first() or User.objects.create_user(
        "ada@platform.example", PASSWORD, name="Ada", is_staff=True
    )
    Authenticator.objects.get_or_create(user=user, type=Authenticator.Type.TOTP, defaults={"data": {"secret": ""}})
    client.force_login(user)
    confirm(client, user)
    return user


def work_on(client: Client, tenant: Tenant) -> None:
    """Choose the tenant whose data the lists show."""
    answer = client.post(reverse("admin:tenants_tenant_work", args=[tenant.id]))
    assert answer.status_code == 302
