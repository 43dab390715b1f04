"""Customer accounts and their members."""

from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.timezone import now

from common.calling_codes import calling_code, countries_like
from common.ids import uuid7
from tenants.models.user import User
from tenants.owned import TenantOwned
from tenants.permissions import Role

__all__ = ["Membership", "Tenant", "validate_timezone"]


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
    mfa_required = models.BooleanField("second step for owners and managers", default=False)
    created_at = models.DateTimeField(default=now, editable=False)
    deletion_due_at = models.DateTimeField(null=True, editable=False)
    """When it is deleted, unless an owner cancels that before. Nothing is sent meanwhile."""
    deleted_at = models.DateTimeField(null=True, editable=False)
    """Only what must be kept is left of it: its name, consent records, suppressions, the audit log."""
    approved_at = models.DateTimeField(null=True, editable=False)
    """When one of the platform's admins let it text everybody. Until then it is in trial."""
    approval_asked_at = models.DateTimeField(null=True, editable=False)
    approval_plan = models.TextField("what it will send, and to whom", blank=True)
    approval_refusal = models.TextField("why it was not approved", blank=True)
    trial_texts_per_day = models.PositiveIntegerField("texts per day in trial", default=50)
    most_import_rows = models.PositiveIntegerField(
        "most rows in an imported file", null=True, blank=True, help_text="Empty: as many as its plan allows."
    )
    most_import_files = models.PositiveIntegerField(
        "most files waiting to be imported", null=True, blank=True, help_text="Empty: as many as its plan allows."
    )
    import_review_asked_at = models.DateTimeField("asked to look at an import", null=True, editable=False)
    """Set while an import of a tenant in trial waits for one of the platform's admins."""
    most_senders = models.PositiveIntegerField("most numbers it can have", default=50)

    allowed_countries = models.JSONField(default=list, blank=True)
    """The countries (ISO 3166) whose numbers can be contacts; empty: its own and those that share the calling code."""

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone, as moments are converted by it."""
        return ZoneInfo(self.timezone)

    @property
    def countries(self) -> frozenset[str]:
        """The countries whose numbers can be contacts."""
        return frozenset(self.allowed_countries) or countries_like(self.country)

    @property
    def calling_codes(self) -> list[str]:
        """What the numbers of these countries begin with, the tenant's own first."""
        codes = dict.fromkeys(map(calling_code, (self.country, *sorted(self.countries))))
        return [code for code in codes if code]

    @property
    def may_send(self) -> bool:
        """Whether it sends at all: not while it is suspended or waits for its deletion."""
        return self.status == self.Status.ACTIVE and self.deletion_due_at is None

    @property
    def in_trial(self) -> bool:
        """Whether it may text its own team only."""
        return self.approved_at is None


class Membership(TenantOwned):
    """A user inside a tenant, with one role."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role)
    only_assigned = models.BooleanField(default=False)
    """The member, an agent, sees only the conversations that are assigned to them."""
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now, editable=False)
    accepted_at = models.DateTimeField(null=True, editable=False)
    """When the person first worked here. Until then they only were invited, perhaps without knowing it."""
    first_steps_hidden_at = models.DateTimeField(null=True, editable=False)
    contact_columns = models.JSONField(null=True, editable=False)
    """The columns chosen for the list of contacts, see ``contacts.list_columns``; null before any choice."""

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_once_per_user")]

    def __str__(self) -> str:
        return f"{self.role} {self.user_id}"

    @property
    def is_restricted(self) -> bool:
        """Whether the member sees only the conversations that are assigned to them."""
        return self.only_assigned and self.role == Role.AGENT

    @property
    def role_choice(self) -> str:
        """The role with its restriction, as forms name it."""
        return "agent_assigned" if self.is_restricted else self.role

    @property
    def role_name(self) -> str:
        """The role in words, with its restriction."""
        return (
            f"{self.get_role_display()}, assigned conversations only" if self.is_restricted else self.get_role_display()
        )

    @property
    def shown_name(self) -> str:
        """What colleagues see: an address that was typed in must not tell whose it is before that person is here."""
        return str(self.user) if self.accepted_at else self.user.email
