"""What the style guide shows: made-up people, numbers and texts."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

from django import forms

from common.charts import Chart, Series
from common.statuses import STATUS_LOOKS

NAVIGATION = [
    {"label": "Home", "url": "/", "icon": "house", "active": True, "key": "h"},
    {
        "label": "Inbox",
        "url": "/lists/",
        "icon": "inbox",
        "badge": 12,
        "badge_label": "unread",
        "key": "i",
    },
    {"label": "Contacts", "url": "/lists/", "icon": "users", "key": "c"},
    {"label": "Campaigns", "url": "/lists/", "icon": "megaphone", "key": "m"},
    {
        "label": "Settings",
        "icon": "settings",
        "active": True,
        "children": [
            {"label": "Team", "url": "/forms/"},
            {"label": "Senders", "url": "/forms/"},
            {"label": "Templates", "url": "/forms/"},
            {"label": "Consent & compliance", "url": "/forms/"},
        ],
    },
]

PERSON = SimpleNamespace(
    is_authenticated=True,
    email="maria.delgado@brightsmile.example",
    get_full_name=lambda: "Maria Delgado",
)
TENANT = SimpleNamespace(name="Bright Smile Dental Practice")
MEMBERSHIP = SimpleNamespace(get_role_display=lambda: "Owner")

MOMENT = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)

CONTACTS = [
    {"name": "Ana Souza", "number": "+12025550101", "consent": "opted_in", "texts": 14},
    {"name": "Ben Carter", "number": "+12025550102", "consent": "opted_out", "texts": 1240},
    {"name": "Chidi Okafor-Montgomery", "number": "+442079460018", "consent": "none", "texts": 0},
]

THREAD = [
    {
        "direction": "out",
        "text": "Hi Ana, this is Bright Smile. Your check-up is on Tue, Nov 10 at 9:30 AM. "
        "Reply C to confirm or R to change it. Reply STOP to opt out.",
        "time": "Mon 9:02 AM",
        "status": "delivered",
    },
    {"direction": "in", "text": "C 👍", "time": "Mon 9:10 AM"},
    {
        "direction": "out",
        "text": "Thank you, see you on Tuesday!\nhttps://brightsmile.example/very/long/address/that/has/to/wrap",
        "time": "Mon 9:10 AM",
        "status": "undelivered",
    },
]
ON_THE_PHONE = [{**text, "direction": "in" if text["direction"] == "out" else "out", "status": ""} for text in THREAD]

STATUSES = list(STATUS_LOOKS)

DAYS = [date(2026, 10, 5) + timedelta(days=offset) for offset in range(30)]
DELIVERED = [180 + (day * 37) % 140 if day % 7 < 5 else 20 for day in range(30)]
FAILED = [(day * 13) % 23 for day in range(30)]
BARS = Chart(
    title="Texts of the last 30 days",
    labels=[f"{day:%b} {day.day}" for day in DAYS],
    series=[
        Series("Delivered", DELIVERED, tone="good"),
        Series("Not delivered", FAILED, tone="bad"),
    ],
    unit="texts",
    urls=[f"/lists/?day={day.isoformat()}" for day in DAYS],
)
LINES = Chart(
    title="Replies and opt-outs",
    labels=[f"{day:%b} {day.day}" for day in DAYS[:7]],
    series=[
        Series("Replies", [3, 8, 6, 14, 9, 2, 0], tone="primary"),
        Series("Opt-outs", [0, 1, 0, 2, 1, 0, 0], tone="warn"),
    ],
)
EMPTY_CHART = Chart(title="Nothing yet", labels=["Mon", "Tue"], series=[Series("Texts", [0, 0])])


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(max_length=60, help_text="Only your team sees it.")
    email = forms.EmailField(required=False, label="Email address")
    purpose = forms.ChoiceField(
        choices=[("", "Choose one"), ("marketing", "Marketing"), ("reminder", "Reminders")],
        help_text="Decides which rules apply to these texts.",
    )
    text = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}))
    start = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    file = forms.FileField(required=False, label="List of contacts")
    when = forms.ChoiceField(
        widget=forms.RadioSelect,
        choices=[("now", "Now"), ("later", "At a set time")],
        help_text="People at night wait until their morning.",
    )
    days = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("mon", "Monday"), ("tue", "Tuesday")],
    )
    track = forms.BooleanField(required=False, label="Count clicks on links")
    agree = forms.BooleanField(label="These people agreed to get texts from us")

    def clean(self) -> dict[str, object]:
        """Refuse, so that an error of the whole form is shown."""
        raise forms.ValidationError("Choose at least one list of contacts.")


class PasswordForm(forms.Form):
    """Two passwords."""

    password1 = forms.CharField(
        label="New password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="<ul><li>At least 10 characters.</li><li>Not a common password.</li></ul>",
    )
    password2 = forms.CharField(
        label="New password again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
