"""How a virtual phone behaves, by the last two digits of its number. The same number always behaves the same."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["BEHAVIOURS", "OPTED_OUT", "USUAL", "Answer", "Behaviour", "behaviour_of"]

OPTED_OUT: Final = "21610"
"""The error code of a number that opted out at the provider. The codes are those that Twilio uses."""


class Answer(StrEnum):
    """What is answered to a hand-over whose text was taken."""

    CREATED = "created"
    FAILS = "fails"
    """An error, 500."""
    RESET = "reset"
    """The connection is closed without an answer."""
    LATE = "late"
    """After the platform's time limit."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the network answers to a hand-over, whether the text arrives, and which receipts follow."""

    summary: str
    http_status: int = 201
    """Anything else: the text is not taken."""
    error_code: str = ""
    answer: Answer = Answer.CREATED
    slow: bool = False
    """The answer takes several seconds."""
    refusals_first: int = 0
    """So many hand-overs get a 429 before one is taken."""
    arrives: bool = True
    receipts: tuple[str, ...] = ("sent", "delivered")
    """What becomes of the text."""
    lost: tuple[str, ...] = ()
    """Of these the platform is not told; they are on record."""
    early: bool = False
    """The receipts come before the answer."""
    receipt_error: str = ""
    says: str = ""
    """What the person writes a moment after a text arrives."""


USUAL: Final = Behaviour("delivered")
_ALL: Final = USUAL.receipts

BEHAVIOURS: Final[dict[str, Behaviour]] = {
    "80": Behaviour("slow: answered after several seconds", slow=True),
    "81": Behaviour("taken, but answered with an error (500); the receipts tell", answer=Answer.FAILS),
    "82": Behaviour("taken, but no answer and no receipts: only the record tells", answer=Answer.RESET, lost=_ALL),
    "83": Behaviour("taken, but answered after the platform gave up; the receipts tell", answer=Answer.LATE),
    "84": Behaviour("receipts come before the answer", early=True),
    "85": Behaviour(
        "every receipt comes twice, in the wrong order", receipts=("delivered", "delivered", "sent", "sent")
    ),
    "86": Behaviour("arrives, but all receipts are lost", lost=_ALL),
    "87": Behaviour("answers YES", says="YES"),
    "88": Behaviour("answers STOP", says="STOP"),
    "89": Behaviour("answers a question", says="What time do you open tomorrow?"),
    "90": Behaviour(
        "switched off: undelivered", arrives=False, receipts=("sent", "undelivered"), receipt_error="30003"
    ),
    "91": Behaviour(
        "unknown number: undelivered", arrives=False, receipts=("sent", "undelivered"), receipt_error="30005"
    ),
    "92": Behaviour(
        "filtered by the carrier: undelivered", arrives=False, receipts=("undelivered",), receipt_error="30007"
    ),
    "93": Behaviour("refused as invalid", http_status=400, error_code="21211"),
    "94": Behaviour("refused: opted out at the provider", http_status=400, error_code=OPTED_OUT),
    "95": Behaviour("arrives, but the delivery receipt is lost", lost=("delivered",)),
    "96": Behaviour("every receipt comes twice", receipts=("sent", "sent", "delivered", "delivered")),
    "97": Behaviour("receipts in the wrong order", receipts=("delivered", "sent")),
    "98": Behaviour("taken, but the answer is lost; the receipts tell", answer=Answer.RESET),
    "99": Behaviour("busy at first (429), then delivered", refusals_first=1),
}


def behaviour_of(number: str) -> Behaviour:
    """The behaviour of a number in E.164."""
    return BEHAVIOURS.get(number[-2:], USUAL)
