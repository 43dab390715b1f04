"""Trial, and the way out of it."""

from typing import Final

from django.core.exceptions import ValidationError
from django.utils.timezone import now

from common.phone_numbers import NumberProblem, parse
from common.unique import AlreadyThere, unique
from tenants.audit import record
from tenants.models import Membership, OutgoingMail, Tenant, TrialNumber
from tenants.permissions import Role
from tenants.services.mails import mail

__all__ = [
    "MOST_GUESTS",
    "add_guest",
    "approve_tenant",
    "ask_for_approval",
    "mail_owners",
    "reject_approval",
    "remove_trial_number",
]

MOST_GUESTS: Final = 5


def add_guest(*, tenant: Tenant, number: str) -> TrialNumber:
    """Let a number be texted in trial. Raises ``ValidationError`` for what is no number, a known one, or one too many."""
    try:
        e164 = parse(number, tenant.country).e164
    except NumberProblem as problem:
        raise ValidationError({"number": str(problem)}) from None
    # The tenant's row is the lock: two at once cannot both be the last one.
    Tenant.objects.select_for_update().get(id=tenant.id)
    if TrialNumber.objects.filter(member=None).count() >= MOST_GUESTS:
        raise ValidationError({"number": f"There can be {MOST_GUESTS} guests. Remove one first."})
    try:
        with unique():
            guest = TrialNumber.objects.create(number=e164)
    except AlreadyThere:
        raise ValidationError({"number": "This number is on the list already."}) from None
    record("trial.guest_added", target=guest)
    return guest


def remove_trial_number(*, number: TrialNumber) -> None:
    """It is not texted in trial any more."""
    number.delete()
    record("trial.number_removed", target_name=str(number))


def ask_for_approval(*, tenant: Tenant, plan: str) -> None:
    """Ask the platform's admins to let the tenant text everybody who agreed; ``plan`` says what it will send to whom."""
    locked = Tenant.objects.select_for_update().get(id=tenant.id)
    if not locked.in_trial:
        raise ValidationError("This account is approved already.")
    Tenant.objects.filter(id=tenant.id).update(approval_asked_at=now(), approval_plan=plan.strip(), approval_refusal="")
    record("tenant.approval_asked", target=tenant)


def approve_tenant(*, tenant: Tenant) -> None:
    """Let a tenant text everybody who agreed. For the platform's admins, inside the tenant's scope."""
    changed = Tenant.objects.filter(id=tenant.id, approved_at=None).update(
        approved_at=now(), approval_refusal="", import_review_asked_at=None
    )
    if changed:
        record("tenant.approved", target=tenant)
        mail_owners(kind=OutgoingMail.Kind.APPROVED)


def reject_approval(*, tenant: Tenant, reason: str) -> None:
    """Leave a tenant in trial, and say why. For the platform's admins, inside the tenant's scope."""
    if not reason.strip():
        raise ValidationError({"reason": "Say what is missing: the owners read it."})
    changed = Tenant.objects.filter(id=tenant.id, approved_at=None).update(
        approval_asked_at=None, approval_refusal=reason.strip()
    )
    if changed:
        record("tenant.approval_refused", target=tenant)
        mail_owners(kind=OutgoingMail.Kind.REFUSED)


def mail_owners(*, kind: OutgoingMail.Kind) -> None:
    """Mail every owner of the active tenant."""
    owners = Membership.objects.filter(role=Role.OWNER, is_active=True).select_related("user")
    for owner in owners:
        mail(kind=kind, address=owner.user.email)
