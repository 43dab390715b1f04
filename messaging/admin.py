"""Platform admin: a tenant's provider accounts, senders and registrations; its messages to look at."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from messaging.account_forms import check_key
from messaging.models import Attempt, InboundMessage, Message, ProviderAccount, Sender, SenderRegistration
from messaging.services import replace_secret
from tenants.platform_admin import TenantDataAdmin, masked_number, masked_text

__all__ = [
    "AttemptAdmin",
    "InboundMessageAdmin",
    "MessageAdmin",
    "ProviderAccountAdmin",
    "SenderAdmin",
    "SenderRegistrationAdmin",
]


class ProviderAccountForm(ModelForm[ProviderAccount]):
    """An account at a provider. Its secret can be replaced; it is never shown."""

    new_secret = forms.CharField(
        label="New secret",
        required=False,
        max_length=200,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="The auth token at Twilio, the API key at Telnyx. Leave it empty to keep the present one.",
    )

    class Meta:
        model = ProviderAccount
        fields: ClassVar[list[str]] = ["name", "status", "max_in_flight", "parts_per_second", "answers_keywords"]

    def clean_new_secret(self) -> str:
        """Refuse what could stand in no request."""
        secret: str = self.cleaned_data["new_secret"]
        if secret and self.instance.kind == ProviderAccount.Kind.TELNYX:
            check_key(secret)
        return secret


@admin.register(ProviderAccount)
class ProviderAccountAdmin(TenantDataAdmin[ProviderAccount]):
    """Accounts at providers."""

    may_change = True
    form = ProviderAccountForm
    list_display = ("name", "kind", "status", "account_reference", "created_at")
    fields = (
        "name",
        "kind",
        "status",
        "account_reference",
        "max_in_flight",
        "parts_per_second",
        "answers_keywords",
        "new_secret",
        "created_at",
    )
    readonly_fields = ("kind", "account_reference", "created_at")

    def save_model(
        self,
        request: HttpRequest,
        obj: ProviderAccount,
        form: ModelForm[ProviderAccount],
        change: bool,  # noqa: FBT001
    ) -> None:
        """Keep a new secret in place of the present one, and say in the log no more than that."""
        if "status" in form.changed_data:
            obj.decide(active=obj.status == obj.Status.ACTIVE)
        if secret := form.cleaned_data["new_secret"]:
            replace_secret(account=obj, secret=secret)
        super().save_model(request, obj, form, change)


@admin.register(Sender)
class SenderAdmin(TenantDataAdmin[Sender]):
    """Numbers that messages come from."""

    may_change = True
    list_display = ("value", "label", "kind", "status", "parts_per_second", "parts_per_day", "is_default", "created_at")
    fields = (
        "value",
        "label",
        "kind",
        "country",
        "status",
        "parts_per_second",
        "parts_per_day",
        "is_default",
        "created_at",
    )
    readonly_fields = ("value", "is_default", "created_at")

    def save_model(
        self,
        request: HttpRequest,
        obj: Sender,
        form: ModelForm[Sender],
        change: bool,  # noqa: FBT001
    ) -> None:
        """A pause or its end is a person's decision, which settles what the provider said."""
        if "status" in form.changed_data:
            obj.decide(active=obj.status == obj.Status.ACTIVE)
        super().save_model(request, obj, form, change)


@admin.register(SenderRegistration)
class SenderRegistrationAdmin(TenantDataAdmin[SenderRegistration]):
    """Registrations with the carriers; the tenant sees their state on its senders page."""

    may_add = True
    may_change = True
    list_display = ("kind", "sender", "status", "reference", "updated_at")
    list_select_related = ("sender",)
    fields = ("kind", "sender", "status", "reference", "reason", "created_at", "updated_at")
    readonly_fields = ("created_at", "updated_at")


@admin.register(Message)
class MessageAdmin(TenantDataAdmin[Message]):
    """Outgoing texts and what became of them; the words and the number are hidden until a reason is given."""

    masked_number = masked_number()
    masked_body = masked_text("body")
    list_display = ("created_at", "masked_number", "status", "error_code", "part_count", "sender")
    list_select_related = ("sender",)
    search_by = "number"
    fields = (
        "id",
        "batch_id",
        "masked_number",
        "contact_id",
        "sender",
        "masked_body",
        "encoding",
        "part_count",
        "status",
        "error_code",
        "rule",
        "created_at",
        "status_at",
    )
    reveals = ("number", "body", "decision")

    @admin.display(description="rule that decided")
    def rule(self, message: Message) -> str:
        """The gate's rule; the data it rests on may name the number."""
        return str(message.decision.get("rule", ""))


@admin.register(Attempt)
class AttemptAdmin(TenantDataAdmin[Attempt]):
    """Tries to hand a message to a provider."""

    list_display = ("created_at", "message_id", "n", "state", "error_code", "provider_message_id")
    fields = (
        "message_id",
        "n",
        "state",
        "provider_account",
        "provider_message_id",
        "error_code",
        "created_at",
        "deadline",
        "resolved_at",
    )


@admin.register(InboundMessage)
class InboundMessageAdmin(TenantDataAdmin[InboundMessage]):
    """Incoming texts."""

    masked_number = masked_number()
    masked_body = masked_text("body")
    list_display = ("received_at", "masked_number", "intent", "certain", "sender")
    list_select_related = ("sender",)
    search_by = "number"
    fields = (
        "id",
        "masked_number",
        "contact_id",
        "sender",
        "masked_body",
        "media_count",
        "intent",
        "certain",
        "received_at",
        "handled_at",
    )
    reveals = ("number", "body", "payload")
