"""Template tags and filters of the dashboard."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from lucide import IconDoesNotExist

from common.charts import Chart, Series
from common.templatetags import ui


def _render(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+12025550101", "(202) 555-0101"),
        ("+442079460018", "+44 20 7946 0018"),
        ("BRIGHT", "BRIGHT"),
        ("", ""),
        (None, ""),
    ],
)
def test_phone_numbers_for_reading(e164: str | None, shown: str) -> None:
    assert ui.phone(e164) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (1240, "1,240"), (1_000_000, "1,000,000"), (2.5, "2.5"), (None, "")]
)
def test_numbers_for_reading(value: float | None, shown: str) -> None:
    assert ui.number(value) == shown


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ana Souza", "AS"),
        ("Chidi  Amari Okafor", "CO"),
        ("Cher", "C"),
        ("émile zola", "ÉZ"),
        ("(202) 555-0101", ""),
        ("", ""),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert ui.initials(name) == letters


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/New_York", "Nov 3, 2020, 9:05 AM EST"),
        ("Europe/London", "Nov 3, 2020, 2:05 PM GMT"),
        ("America/Sao_Paulo", "Nov 3, 2020, 11:05 AM UTC-03"),
        ("Nowhere/Land", "Nov 3, 2020, 3:05 PM CET"),
        ("../etc/passwd", "Nov 3, 2020, 3:05 PM CET"),
        ("", "Nov 3, 2020, 3:05 PM CET"),
        (None, "Nov 3, 2020, 3:05 PM CET"),
    ],
)
def test_moments_in_the_zone_of_a_person(zone: str | None, shown: str) -> None:
    from django.utils import timezone

    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert ui.localtime_in(datetime(2020, 11, 3, 14, 5, tzinfo=UTC), zone) == shown


def test_the_year_is_left_out_while_it_is_the_current_one() -> None:
    now = datetime.now(UTC)
    assert str(now.year) not in ui.localtime_in(now, "UTC")


def test_no_moment_shows_nothing() -> None:
    assert ui.localtime_in(None, "UTC") == ""


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        ui.localtime_in(datetime(2026, 11, 3), "UTC")  # noqa: DTZ001


@pytest.mark.parametrize(
    ("query", "changes", "expected"),
    [
        ("q=ana&page=2", {"page": 3}, "?q=ana&page=3"),
        ("q=ana&page=2", {"page": None}, "?q=ana"),
        ("q=ana", {"q": ""}, "?"),
        ("tag=a&tag=b", {"tag": ["c", "d"]}, "?tag=c&tag=d"),
        ("q=a%26b", {"x": "ü ="}, "?q=a%26b&x=%C3%BC+%3D"),
    ],
)
def test_query_with_changes(query: str, changes: dict[str, object], expected: str) -> None:
    request = RequestFactory().get(f"/?{query}")
    assert ui.query_with(Context({"request": request}), **changes) == expected


def test_query_without_a_request_says_what_is_missing() -> None:
    with pytest.raises(TemplateSyntaxError, match="needs the request"):
        _render("{% query_with page=2 %}")


def test_icons_are_hidden_from_screen_readers() -> None:
    assert 'aria-hidden="true"' in _render("{% icon 'inbox' %}")


def test_an_icon_that_does_not_exist_is_refused() -> None:
    with pytest.raises(IconDoesNotExist):
        _render("{% icon 'no-such-icon' %}")


def test_a_component_wraps_its_content_and_sees_its_parameters_only() -> None:
    html = _render(
        "{% component 'card' title=heading %}<b>{{ text }}</b>{% endcomponent %}",
        heading="A & B",
        text="<i>",
        footer="of the page",
    )
    assert "A &amp; B" in html
    assert "<b>&lt;i&gt;</b>" in html
    assert "of the page" not in html


def test_components_nest() -> None:
    html = _render(
        "{% component 'card' %}{% component 'table' label='People' %}<tr></tr>{% endcomponent %}{% endcomponent %}"
    )
    assert html.index("<section") < html.index("<table") < html.index("<tr>") < html.index("</section>")


class _Form(forms.Form):
    name = forms.CharField(help_text="As on the sign.", widget=forms.TextInput(attrs={"placeholder": "Name"}))
    kind = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)
    agree = forms.BooleanField()
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


FIELD = "{% include 'components/form_field.html' with field=field placeholders=placeholders only %}"


def test_a_wrong_field_is_connected_with_its_help_and_its_error() -> None:
    html = _render(FIELD, field=_Form({})["name"])
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert "is-invalid" in html


def test_placeholders_can_be_left_out() -> None:
    assert 'placeholder="Name"' in _render(FIELD, field=_Form()["name"])
    assert "placeholder" not in _render(FIELD, field=_Form()["name"], placeholders=False)


def test_radio_buttons_stand_in_a_fieldset_with_a_legend() -> None:
    html = _render(FIELD, field=_Form()["kind"])
    assert "<fieldset" in html
    assert "<legend" in html
    assert 'class="form-check-input"' in html


def test_hidden_fields_have_no_label() -> None:
    assert "<label" not in _render(FIELD, field=_Form()["secret"])


def test_the_summary_of_errors_leads_to_the_fields() -> None:
    html = _render("{% include 'components/form_errors.html' with form=form only %}", form=_Form({}))
    assert 'href="#id_name"' in html
    assert 'href="#id_kind"' in html
    assert 'id="id_kind"' in _render(FIELD, field=_Form({})["kind"])


@pytest.mark.parametrize("tag", ["bar_chart", "line_chart"])
def test_charts_have_tooltips_links_and_a_table(tag: str) -> None:
    chart = Chart("Texts <30 days>", ["Oct 5"], [Series("Delivered", [1240])], urls=["/messages/?a=1&b=2"])
    html = _render("{% " + tag + " chart %}", chart=chart)
    assert "<title>Oct 5: Delivered 1,240</title>" in html
    assert 'href="/messages/?a=1&amp;b=2"' in html
    assert "Texts &lt;30 days&gt;" in html
    assert "<details" in html
    assert "style=" not in html


def test_a_status_badge_has_word_and_icon() -> None:
    html = _render("{% include 'components/status_badge.html' with status='undelivered' only %}")
    assert "Undelivered" in html
    assert "<svg" in html
    assert "tone-bad" in html


def test_the_text_of_a_message_is_shown_as_it_is() -> None:
    html = _render(
        "{% include 'components/message_bubble.html' with direction='in' text=text only %}",
        text="<script>alert(1)</script>\n  two",
    )
    assert '<div class="bubble" dir="auto">&lt;script&gt;alert(1)&lt;/script&gt;\n  two</div>' in html
