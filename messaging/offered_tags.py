"""Which merge tags a text may use, and the buttons that put them into it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from consent.preferences import TAG as PREFERENCES_LINK
from contacts.models import ContactField

__all__ = ["TagButton", "known_tags", "tag_buttons"]

_STANDARD: Final = {
    "first_name": "First name",
    "last_name": "Last name",
    "email": "E-mail",
    "brand": "Business name",
    PREFERENCES_LINK: "Link to their choices",
}
_DEFAULTS: Final = {"first_name": "there"}
"""A text with a tag and no default is not sent to people without the value; "Hi there" reaches them too."""

_MAX_BUTTONS: Final = 20


@dataclass(frozen=True, slots=True)
class TagButton:
    """``label`` for people, ``text`` for the text box."""

    label: str
    text: str


def tag_buttons() -> list[TagButton]:
    """Buttons for the standard tags and the first of the tenant's own fields."""
    return [TagButton(label, _written(name)) for name, label in _offered().items()][:_MAX_BUTTONS]


def known_tags() -> Collection[str]:
    """The merge tags that a text may use."""
    return _offered()


def _offered() -> dict[str, str]:
    """Names and labels; a standard tag comes before a field by the same name."""
    own = ContactField.objects.filter(deleted_at=None).order_by("position", "id").values_list("key", "label")
    return _STANDARD | {key: label for key, label in own if key not in _STANDARD}


def _written(name: str) -> str:
    default = f" | {_DEFAULTS[name]}" if name in _DEFAULTS else ""
    return f"{{{{ {name}{default} }}}}"
