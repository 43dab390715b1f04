"""Forms of the team page, of the pages around it, and of the own account."""

from typing import Any

from allauth.account.forms import SignupForm
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.http import HttpRequest

from common.places import countries, zones
from tenants.help_contact import check_help_contact
from tenants.models import Membership, User
from tenants.permissions import Role

__all__ = [
    "AccountForm",
    "AddressForm",
    "BusinessForm",
    "CountriesForm",
    "HandOverForm",
    "InvitationForm",
    "JoiningForm",
    "NameForm",
    "RoleForm",
    "TypedNameForm",
]


_ASSIGNED_ONLY = "agent_assigned"
_ROLES = [
    (Role.OWNER.value, Role.OWNER.label),
    (Role.MANAGER.value, Role.MANAGER.label),
    (Role.AGENT.value, Role.AGENT.label),
    (_ASSIGNED_ONLY, "Agent, assigned conversations only"),
    (Role.VIEWER.value, Role.VIEWER.label),
]


class RoleForm(forms.Form):
    """A role, with its restriction."""

    role = forms.ChoiceField(label="Role", choices=_ROLES, initial=Role.AGENT)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["only_assigned"] = data.get("role") == _ASSIGNED_ONLY
        if data.get("role"):
            data["role"] = Role.AGENT if data["only_assigned"] else Role(data["role"])
        return data


class TypedNameForm(forms.Form):
    """The name of the business, typed to be sure."""

    typed_name = forms.CharField(
        label="Type the name of the business", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class _MemberChoice(forms.ModelChoiceField[Membership]):
    """Members by the name that colleagues see."""

    def label_from_instance(self, obj: Membership) -> str:
        return obj.shown_name


class HandOverForm(TypedNameForm):
    """The next owner."""

    member = _MemberChoice(label="New owner", queryset=None, empty_label="Choose a member")
    stays_owner = forms.BooleanField(label="I stay an owner too", required=False)
    field_order = ["member", "stays_owner", "typed_name"]

    def __init__(self, *args: Any, giver: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Membership.objects.filter(is_active=True, accepted_at__isnull=False).exclude(id=giver.id)
        self.fields["member"].queryset = others.select_related("user")  # type: ignore[attr-defined]


class InvitationForm(RoleForm):
    """A person to invite."""

    email = forms.EmailField(label="E-mail address", max_length=254)
    field_order = ["email", "role"]


class AccountForm(SignupForm):  # type: ignore[misc]
    """A new person: name, address, password."""

    name = forms.CharField(
        label="Your name",
        max_length=120,
        help_text="Colleagues see it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["name", "email", "password1"]

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"].strip()
        user.save(update_fields=["name"])


class _ZoneSelect(forms.Select):
    """Zones that say which country they lie in, so that the page can offer those of the chosen one."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        option["attrs"]["data-country"] = _COUNTRY_OF.get(str(value), "")
        if value in _MAIN_ZONES:
            option["attrs"]["data-main"] = True
        return option


_COUNTRY_OF = dict(zones())
_MAIN_ZONES = frozenset({country: zone for zone, country in reversed(zones())}.values())
_one_line = RegexValidator(r"[\x00-\x1f\x7f\u2028\u2029]", "Write this in one line.", inverse_match=True)


class CountriesForm(forms.Form):
    """The countries whose numbers can be contacts."""

    countries = forms.MultipleChoiceField(
        label="Countries",
        choices=countries,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None at all: your own and those with its calling code.",
    )


class BusinessForm(forms.Form):
    """A business: what it is called, where it is, and whom people may ask for help."""

    name = forms.CharField(
        label="Business name",
        max_length=120,
        validators=[_one_line],
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    country = forms.ChoiceField(
        label="Country", help_text="Numbers without a country code are read as numbers of this country."
    )
    timezone = forms.ChoiceField(label="Time zone", help_text="Times on the pages are shown in it.", widget=_ZoneSelect)
    brand_name = forms.CharField(
        label="Name used in texts",
        max_length=60,
        required=False,
        validators=[_one_line],
        help_text="How people know you: texts must say who sends them. Leave it empty to use the business name.",
    )
    help_contact = forms.CharField(
        label="Help contact",
        max_length=120,
        validators=[_one_line],
        help_text="Whoever replies HELP gets it: a phone number, an e-mail address or a website.",
    )

    def __init__(self, *args: Any, offer_place: bool = False, **kwargs: Any) -> None:
        """``offer_place``: the page begins with the country and zone of the browser."""
        super().__init__(*args, **kwargs)
        known = dict.fromkeys([*_COUNTRY_OF, str(self.initial.get("timezone") or "UTC")])
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        self.fields["timezone"].choices = [  # type: ignore[attr-defined]
            (zone, zone.replace("_", " ")) for zone in sorted(known)
        ]
        self.fields["timezone"].widget.attrs["data-zone-of"] = self["country"].auto_id
        if offer_place and not self.is_bound:
            self.fields["timezone"].widget.attrs["data-offer"] = True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("name") and not data.get("brand_name"):
            data["brand_name"] = data["name"][:60].strip()
        if data.get("help_contact"):
            try:
                check_help_contact(data["help_contact"], data.get("country", "US"))
            except ValidationError as error:
                self.add_error("help_contact", error)
        return data


class JoiningForm(AccountForm):
    """The account of somebody who was invited; the address is the invited one, whatever is sent along."""

    def __init__(self, *args: Any, invited: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].initial = invited
        self.fields["email"].disabled = True


class NameForm(forms.Form):
    """One's own name."""

    name = forms.CharField(
        label="Name", max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class AddressForm(forms.Form):
    """Another address to sign in with."""

    email = forms.EmailField(label="New e-mail address", max_length=254)
