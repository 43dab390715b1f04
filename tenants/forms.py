"""Forms of the team page."""

from django import forms

from tenants.permissions import Role

__all__ = ["MemberForm", "RoleForm"]


class MemberForm(forms.Form):
    """A person to give access to."""

    email = forms.EmailField(label="E-mail address", max_length=254)
    name = forms.CharField(label="Name", max_length=120, required=False)
    role = forms.ChoiceField(label="Role", choices=Role, initial=Role.AGENT)


class RoleForm(forms.Form):
    """A member's new role."""

    role = forms.ChoiceField(choices=Role)
