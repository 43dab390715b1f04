"""Customer accounts, the people who sign in, and who may do what in which account."""

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.timezone import now

from common.ids import uuid7
from tenants.owned import TenantOwned
from tenants.permissions import Role

__all__ = ["Membership", "Tenant", "User"]


class UserManager(BaseUserManager["User"]):
    """Users are found by e-mail address, in any letter case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. What they may do in a tenant stands in their memberships, not here."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_staff = models.BooleanField("platform admin", default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=now, editable=False)
    last_tenant_id = models.UUIDField(null=True, editable=False)
    """The tenant worked in last; where the next sign-in begins."""

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self) -> str:
        return self.name or self.email


def validate_timezone(name: str) -> None:
    """Accept names of the IANA time zone database only."""
    if name not in available_timezones():
        raise ValidationError("Choose a time zone such as America/New_York.")


class Tenant(models.Model):
    """A customer account: a clinic, a shop chain, an IT provider."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField("business name", max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    country = models.CharField("country of its phone numbers", max_length=2, default="US")
    timezone = models.CharField(max_length=64, default="America/New_York", validators=[validate_timezone])
    brand_name = models.CharField("name used in texts", max_length=60)
    help_contact = models.CharField("help contact in texts", max_length=120, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self) -> str:
        return self.name


class Membership(TenantOwned):
    """A user inside a tenant, with one role."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now, editable=False)
    accepted_at = models.DateTimeField(null=True, editable=False)
    """When the person first worked here. Until then they only were invited, perhaps without knowing it."""

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_once_per_user")]

    def __str__(self) -> str:
        return f"{self.role} {self.user_id}"

    @property
    def shown_name(self) -> str:
        """What colleagues see: an address that was typed in must not tell whose it is before that person is here."""
        return str(self.user) if self.accepted_at else self.user.email
