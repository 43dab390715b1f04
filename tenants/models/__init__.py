"""Customer accounts, the people who sign in, who may do what in which account, and what they did."""

from tenants.models.audit import AuditEntry
from tenants.models.export import ExportPiece, TenantExport
from tenants.models.invitation import INVITATION_LIFETIME, Invitation
from tenants.models.mail import OutgoingMail
from tenants.models.second_step import FailedCodes
from tenants.models.session import UserSession
from tenants.models.tenant import Membership, Tenant, validate_timezone
from tenants.models.trial import TrialDay, TrialNumber
from tenants.models.user import User

__all__ = [
    "INVITATION_LIFETIME",
    "AuditEntry",
    "ExportPiece",
    "FailedCodes",
    "Invitation",
    "Membership",
    "OutgoingMail",
    "Tenant",
    "TenantExport",
    "TrialDay",
    "TrialNumber",
    "User",
    "UserSession",
    "validate_timezone",
]
