"""Words for messages and their parts."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils.dateformat import format as format_date

from messaging.models import Message
from messaging.reasons import reason_of, trouble_of
from messaging.text import TextMeasure

register = template.Library()


@register.filter
def reason(message: Message) -> str:
    """Why the message was not sent or did not arrive; empty for any other."""
    return reason_of(message)


@register.filter
def trouble(error_code: str, kind: str) -> str:
    """Why a sender or an account at this kind of provider was paused by the platform itself, and what to do."""
    return trouble_of(error_code, kind)


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


@register.filter
def short_time(moment: datetime, zone: str) -> str:
    """When, for a narrow list: the time of today, else the day."""
    here = ZoneInfo(zone)
    local, today = moment.astimezone(here), datetime.now(UTC).astimezone(here)
    if local.date() == today.date():
        return format_date(local, "g:i A")
    return format_date(local, "M j" if local.year == today.year else "M j, Y")
