"""How a virtual phone behaves, by the last two digits of its number. The same number always behaves the same."""

from dataclasses import dataclass
from typing import Final

__all__ = ["BEHAVIOURS", "OPTED_OUT", "USUAL", "Behaviour", "behaviour_of"]

OPTED_OUT: Final = "21610"
"""The error code of a number that opted out at the provider. The codes are those that Twilio uses."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the network answers to a hand-over, whether the text arrives, and which receipts follow."""

    summary: str
    http_status: int = 201
    error_code: str = ""
    arrives: bool = True
    receipts: tuple[str, ...] = ("sent", "delivered")
    """What becomes of the text."""
    lost: tuple[str, ...] = ()
    """Of these the platform is not told; they are on record."""
    receipt_error: str = ""
    answer_lost: bool = False
    """The network takes the text but the answer never reaches the platform."""
    refusals_first: int = 0
    """So many hand-overs get a 429 before one is taken."""


USUAL: Final = Behaviour("delivered")

BEHAVIOURS: Final[dict[str, Behaviour]] = {
    "90": Behaviour(
        "switched off: undelivered", arrives=False, receipts=("sent", "undelivered"), receipt_error="30003"
    ),
    "91": Behaviour(
        "unknown number: undelivered", arrives=False, receipts=("sent", "undelivered"), receipt_error="30005"
    ),
    "92": Behaviour(
        "filtered by the carrier: undelivered", arrives=False, receipts=("undelivered",), receipt_error="30007"
    ),
    "93": Behaviour("refused as invalid", http_status=400, error_code="21211", arrives=False, receipts=()),
    "94": Behaviour(
        "refused: opted out at the provider", http_status=400, error_code=OPTED_OUT, arrives=False, receipts=()
    ),
    "95": Behaviour("arrives, but the delivery receipt is lost", lost=("delivered",)),
    "96": Behaviour("every receipt comes twice", receipts=("sent", "sent", "delivered", "delivered")),
    "97": Behaviour("receipts in the wrong order", receipts=("delivered", "sent")),
    "98": Behaviour("taken, but the answer is lost; the receipts tell", answer_lost=True),
    "99": Behaviour("busy at first (429), then delivered", refusals_first=1),
}


def behaviour_of(number: str) -> Behaviour:
    """The behaviour of a number in E.164."""
    return BEHAVIOURS.get(number[-2:], USUAL)
