"""Messages and what they travel with."""

from messaging.models.hold import DispatchState
from messaging.models.inbound import InboundMessage
from messaging.models.message import Attempt, Batch, DeliveryReceipt, Message
from messaging.models.part_price import PartPrice
from messaging.models.records import RecordComparison, RecoveredText
from messaging.models.registration import SenderRegistration
from messaging.models.sender import SLOWEST, USUAL_WEIGHT, ProviderAccount, Sender, SenderDay, SenderPool
from messaging.models.service_number import ServiceNumber
from messaging.models.spending import MonthSpend, SpendLimit
from messaging.models.subaccount import Subaccount
from messaging.models.template import MessageTemplate

__all__ = [
    "SLOWEST",
    "USUAL_WEIGHT",
    "Attempt",
    "Batch",
    "DeliveryReceipt",
    "DispatchState",
    "InboundMessage",
    "Message",
    "MessageTemplate",
    "MonthSpend",
    "PartPrice",
    "ProviderAccount",
    "RecordComparison",
    "RecoveredText",
    "Sender",
    "SenderDay",
    "SenderPool",
    "SenderRegistration",
    "ServiceNumber",
    "SpendLimit",
    "Subaccount",
]
