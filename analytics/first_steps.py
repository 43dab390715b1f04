"""What a new tenant does first; a step is done when the database says so."""

from dataclasses import dataclass

from django.urls import reverse

from campaigns.models import Campaign
from contacts.models import Contact
from messaging.models import Message, Sender
from tenants.models import Membership, TrialNumber
from tenants.permissions import Permission, allowed
from tenants.services import open_invitations

__all__ = ["Step", "first_steps"]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the list."""

    title: str
    text: str
    done_text: str
    done: bool
    url: str
    action: str
    needs: Permission


def first_steps(membership: Membership) -> list[Step]:
    """The steps that this member may take, in order; empty when all of them are done or the member has hidden them."""
    if membership.first_steps_hidden_at is not None:
        return []
    steps = [step for step in _steps(membership) if allowed(membership.role, step.needs)]
    return [] if all(step.done for step in steps) else steps


def _steps(membership: Membership) -> list[Step]:
    tenant = membership.tenant
    steps = [
        Step(
            "Confirm your e-mail address",
            "A code is mailed to it when you log in.",
            "Done: the address is yours.",
            membership.user.has_confirmed_address(),
            reverse("home"),
            "",
            Permission.MANAGE_SETTINGS,
        ),
        Step(
            "Tell people how to reach you",
            "Whoever replies HELP gets your help contact.",
            "Done: HELP is answered with your help contact.",
            bool(tenant.help_contact),
            reverse("business"),
            "Business details",
            Permission.MANAGE_TENANT,
        ),
        Step(
            "Set up a sender",
            "The number that your texts come from.",
            "Done: there is a number that texts come from.",
            Sender.objects.filter(status=Sender.Status.ACTIVE).exists(),
            reverse("senders"),
            "Set up a sender",
            Permission.MANAGE_SETTINGS,
        ),
        Step(
            "Bring your contacts",
            "A file from any spreadsheet program, with how these people agreed to be texted.",
            "Done: you have contacts.",
            Contact.objects.exists(),
            reverse("imports"),
            "Import contacts",
            Permission.IMPORT_CONTACTS,
        ),
        Step(
            "Invite a colleague",
            "Each of them gets a log-in of their own, and a role.",
            "Done: you are not alone.",
            Membership.objects.exclude(id=membership.id).exists() or open_invitations().exists(),
            f"{reverse('team')}#invite",
            "Invite somebody",
            Permission.MANAGE_TEAM,
        ),
        Step(
            "Send a first text",
            "One text to many. Before it goes out you see who gets it, who does not, and why.",
            "Done: there is a campaign.",
            Campaign.objects.exists() or Message.objects.exclude(batch__cause_kind="own_number").exists(),
            reverse("campaign_new"),
            "Write a campaign",
            Permission.MANAGE_CAMPAIGNS,
        ),
    ]
    return steps + _trial_steps(membership)


def _trial_steps(membership: Membership) -> list[Step]:
    """Those of a tenant that is in trial."""
    tenant = membership.tenant
    if not tenant.in_trial:
        return []
    return [
        Step(
            "Confirm your own number",
            "In trial texts go to your own team: your phone is the first.",
            "Done: you can text yourself.",
            TrialNumber.objects.filter(member=membership, confirmed_at__isnull=False).exists(),
            f"{reverse('trial')}#own-number",
            "Confirm my number",
            Permission.MANAGE_CAMPAIGNS,
        ),
        Step(
            "Ask for approval",
            "Then you can text everybody who agreed.",
            "Done: we mail you the answer.",
            tenant.approval_asked_at is not None,
            f"{reverse('trial')}#approval",
            "Ask for approval",
            Permission.MANAGE_TENANT,
        ),
    ]
