"""The people who sign in."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.timezone import now

from common.ids import uuid7

__all__ = ["User"]


class UserManager(BaseUserManager["User"]):
    """Users are found by e-mail address, in any letter case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        user.confirm_address()
        return user

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
    signed_out_at = models.DateTimeField(null=True, editable=False)
    """When all other sessions last ended: a password or code entered before it no longer signs anybody in."""

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self) -> str:
        return self.name or self.email

    def confirm_address(self) -> None:
        """Note that the address is theirs: a mailed secret proved it, or whoever runs the platform vouches for it."""
        EmailAddress.objects.update_or_create(
            user=self, email=self.email.lower(), defaults={"verified": True, "primary": True}
        )

    def has_confirmed_address(self) -> bool:
        """Whether it is certain that the address is theirs."""
        return bool(EmailAddress.objects.filter(user=self, email=self.email.lower(), verified=True).exists())
