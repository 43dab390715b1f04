"""Which merge tags a text may use, and the buttons that put them into it."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from django.core.cache import cache

from contacts.models import Contact
from messaging.merge_tags import names
from tenants.scope import current_tenant_id

__all__ = ["TagButton", "known_tags", "tag_buttons"]

_STANDARD: Final = ("first_name", "last_name", "email", "brand")
_DEFAULTS: Final = {"first_name": "there"}
"""A text with a tag and no default is not sent to people without the value; "Hi there" reaches them too."""

_LABELS: Final = {"brand": "Business name", "email": "E-mail"}
_SAMPLED_CONTACTS: Final = 50
_MAX_BUTTONS: Final = 20
_REMEMBERED_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class TagButton:
    """``label`` for people, ``text`` for the text box."""

    label: str
    text: str


def tag_buttons() -> list[TagButton]:
    """Buttons for the tags there are."""
    return [TagButton(_label(name), _written(name)) for name in _offered()]


def known_tags(body: str) -> Collection[str]:
    """The merge tags that a text may use: the offered ones, and those that any contact has a value for."""
    known = set(_offered())
    return known | {name for name in set(names(body)) - known if _has_values(name)}


def _has_values(name: str) -> bool:
    """Whether any contact has this value. Remembered for a moment: for a name that nobody has, all are read."""
    key = f"merge-tag:{current_tenant_id()}:{sha256(name.encode()).hexdigest()}"
    found: bool | None = cache.get(key)
    if found is None:
        found = Contact.objects.filter(fields__has_key=name).exists()
        cache.set(key, found, _REMEMBERED_SECONDS)
    return found


def _offered() -> list[str]:
    """The standard tags and those of the newest and of the oldest contacts: one import must not hide the rest."""
    found: dict[str, None] = dict.fromkeys(_STANDARD)
    for order in ("-id", "id"):
        for fields in Contact.objects.order_by(order).values_list("fields", flat=True)[:_SAMPLED_CONTACTS]:
            found.update(dict.fromkeys(fields))
    return list(found)[:_MAX_BUTTONS]


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def _written(name: str) -> str:
    default = f" | {_DEFAULTS[name]}" if name in _DEFAULTS else ""
    return f"{{{{ {name}{default} }}}}"
