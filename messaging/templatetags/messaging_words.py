"""Words for messages and their parts."""

from django import template

from messaging.models import Message
from messaging.reasons import reason_of
from messaging.text import TextMeasure

register = template.Library()


@register.filter
def reason(message: Message) -> str:
    """Why the message was not sent or did not arrive; empty for any other."""
    return reason_of(message)


@register.filter
def room_left(measured: TextMeasure) -> int:
    """About how many more characters fit before the text costs another part."""
    single, part = (160, 153) if measured.encoding == "GSM-7" else (70, 67)
    room = single if measured.part_count == 1 else part * measured.part_count
    return max(0, room - measured.units)


@register.filter
def times(count: int, factor: int) -> int:
    """The product, such as people times parts."""
    return count * factor


@register.filter
def share(count: int, whole: int) -> str:
    """How much of the whole, in percent; a few are never shown as none."""
    if not whole:
        return ""
    percent = 100 * count / whole
    return "under 1 %" if 0 < percent < 1 else f"{percent:.0f} %"
