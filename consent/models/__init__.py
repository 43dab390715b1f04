"""The tables of consent: what people said, where they stand, the log that proves it, the hours of the day, how often,
and what is known of numbers."""

from consent.models.double_opt_in import DoubleOptIn, PendingOptIn
from consent.models.hours import HolidayCalendar, OwnHours, QuietHoursRule
from consent.models.hygiene import ChangedNumber, NumberMark
from consent.models.limits import FrequencyLaw, PurposePolicy
from consent.models.log import (
    Checkpoint,
    DailyCheckpoint,
    GivenCheckpoint,
    HeadBucket,
    LedgerHead,
    LedgerKey,
    LedgerLeaf,
    LedgerTile,
    PendingSeal,
)
from consent.models.opt_out import OptOutRules
from consent.models.preferences import PreferenceLink
from consent.models.purpose_rules import PurposeRules
from consent.models.records import (
    ALL_PURPOSES,
    ConsentRecord,
    ConsentState,
    EndedPurpose,
    HiddenNumberKey,
    OptOutQuestion,
    PossibleOptOut,
    Suppression,
)
from consent.models.retention import EvidenceRetention
from consent.models.validity import ConsentExpiry, ImpliedConsentLaw

__all__ = [
    "ALL_PURPOSES",
    "ChangedNumber",
    "Checkpoint",
    "ConsentExpiry",
    "ConsentRecord",
    "ConsentState",
    "DailyCheckpoint",
    "DoubleOptIn",
    "EndedPurpose",
    "EvidenceRetention",
    "FrequencyLaw",
    "GivenCheckpoint",
    "HeadBucket",
    "HiddenNumberKey",
    "HolidayCalendar",
    "ImpliedConsentLaw",
    "LedgerHead",
    "LedgerKey",
    "LedgerLeaf",
    "LedgerTile",
    "NumberMark",
    "OptOutQuestion",
    "OptOutRules",
    "OwnHours",
    "PendingOptIn",
    "PendingSeal",
    "PossibleOptOut",
    "PreferenceLink",
    "PurposePolicy",
    "PurposeRules",
    "QuietHoursRule",
    "Suppression",
]
