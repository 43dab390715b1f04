"""Template tags and filters of the dashboard; the components they serve are in templates/components."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.forms.boundfield import BoundField, BoundWidget
from django.http import HttpRequest
from django.template import Context, TemplateSyntaxError
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide

from common import charts
from common.phone_numbers import reading_format
from common.statuses import StatusLook
from common.statuses import status_look as look_of

register = template.Library()


@register.simple_block_tag(takes_context=True)
def component(context: Context, content: str, name: str, **parameters: object) -> SafeString:
    """Render `templates/components/<name>.html` around the enclosed content, as `body`.

    The component sees its parameters only, never the variables of the page.
    """
    engine = context.template.engine if context.template else template.Engine.get_default()
    inner = context.new({**parameters, "body": content, "csrf_token": context.get("csrf_token")})
    return engine.get_template(f"components/{name}.html").render(inner)


@register.simple_tag
@lru_cache(maxsize=1024)
def icon(name: str, classes: str = "") -> str:
    """Decorative Lucide icon; raises when there is none of that name. Made once, because a page shows many."""
    attributes = {"class": f"icon {classes}".strip(), "aria_hidden": "true", "focusable": "false"}
    return lucide(name, size=24, **attributes)


@register.simple_tag
def status_look(status: str) -> StatusLook:
    """Label, tone, icon and meaning of a status."""
    return look_of(status)


@register.filter
def status_label(status: str) -> str:
    """The word shown for a status."""
    return look_of(status).label


@register.filter
def phone(e164: str | None) -> str:
    """A number for reading: (202) 555-0123 or +44 20 7946 0018; anything else stays as it is."""
    return reading_format(e164) if e164 else ""


@register.filter
def number(value: float | None) -> str:
    """A number for reading: 12,345; nothing for None."""
    return "" if value is None else f"{value:,.10g}"


@register.filter
def initials(name: str) -> str:
    """First letters of the first and the last word of a name; nothing for a number."""
    words = [word for word in name.split() if word[0].isalpha()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.filter
def localtime_in(moment: datetime | None, zone: str | None = None) -> str:
    """A moment in an IANA zone with the zone's name: "Nov 3, 9:05 AM EST".

    Without a zone, or with one this machine does not know, the tenant's zone is used. The year is
    left out when it is the current one there.
    """
    if moment is None:
        return ""
    if timezone.is_naive(moment):
        raise ValueError("localtime_in needs a moment with a time zone, got a naive datetime.")
    local = moment.astimezone(_zone(zone))
    same_year = local.year == datetime.now(UTC).astimezone(local.tzinfo).year
    text = format_date(local, "M j, g:i A" if same_year else "M j, Y, g:i A")
    return f"{text} {_zone_name(local)}"


@register.filter
def localday_in(moment: datetime | None, zone: str | None = None) -> str:
    """The day of a moment in an IANA zone: "Nov 3, 2026"; see ``localtime_in``."""
    return format_date(moment.astimezone(_zone(zone)), "M j, Y") if moment else ""


def _zone(name: str | None) -> tzinfo:
    if not name:
        return timezone.get_current_timezone()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        return timezone.get_current_timezone()


def _zone_name(local: datetime) -> str:
    """EST, CET; zones without letters of their own are called "+03" by the database."""
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name


@register.simple_tag(takes_context=True)
def query_with(context: Context, **changes: object) -> str:
    """The query string of this page with changes: `None` or "" drops a key, a list repeats it."""
    request = context.get("request")
    if not isinstance(request, HttpRequest):
        raise TemplateSyntaxError("query_with needs the request in the template's context.")
    query = request.GET.copy()
    for key, value in changes.items():
        query.pop(key, None)
        if value not in (None, ""):
            query.setlist(key, [str(v) for v in value] if isinstance(value, list) else [str(value)])
    return f"?{query.urlencode()}"


@register.simple_tag
def field_kind(field: BoundField) -> str:
    """How a form field is laid out: "hidden", "checkbox", "options" or "line"."""
    widget = field.field.widget
    if widget.is_hidden:
        return "hidden"
    if widget.use_fieldset:
        return "options"
    return "checkbox" if getattr(widget, "input_type", "") == "checkbox" else "line"


@register.simple_tag
def control(field: BoundField, **attributes: object) -> SafeString:
    """The widget of a field with the right classes; `hx_get=...` becomes `hx-get`."""
    widget = field.field.widget
    classes = {"checkbox": "form-check-input", "select": "form-select"}
    kind = getattr(widget, "input_type", "")
    parts = [str(widget.attrs.get("class", "")), classes.get(kind, "form-control")]
    if field.errors:
        parts.append("is-invalid")
    attrs: dict[str, Any] = {name.replace("_", "-"): value for name, value in attributes.items()}
    return field.as_widget(attrs={**attrs, "class": " ".join(parts).strip()})


@register.simple_tag
def options(field: BoundField) -> list[BoundWidget]:
    """Radio buttons or checkboxes of a field, one by one, with the right class."""
    widgets = list(field.subwidgets)
    for widget in widgets:
        widget.data["attrs"]["class"] = "form-check-input"
    return widgets


@register.inclusion_tag("components/chart.html")
def bar_chart(chart: charts.Chart, *, tall: bool = False) -> dict[str, object]:
    """Stacked bars with tooltips and a table of the numbers."""
    return {
        "chart": chart,
        "columns": charts.bar_columns(chart),
        "scale": charts.bar_scale(chart),
        "width": charts.WIDTH,
        "height": charts.HEIGHT,
        "tall": tall,
    }


@register.inclusion_tag("components/chart.html")
def line_chart(chart: charts.Chart, *, tall: bool = False) -> dict[str, object]:
    """One line for each series with tooltips and a table of the numbers."""
    return {
        "chart": chart,
        "columns": charts.line_columns(chart),
        "lines": charts.lines(chart),
        "scale": charts.line_scale(chart),
        "width": charts.WIDTH,
        "height": charts.HEIGHT,
        "tall": tall,
    }
