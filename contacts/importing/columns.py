"""Which column of a file holds what: guessed from the header and from sample values."""

import re
from collections.abc import Sequence
from typing import Final

from common.phone_numbers import NumberProblem, parse

__all__ = [
    "EVIDENCE",
    "FIELDS",
    "IGNORED",
    "NOT_IMPORTED",
    "custom_name",
    "guess_columns",
    "is_number",
    "may_be_about_consent",
]

FIELDS: Final = {
    "number": "Phone number",
    "first_name": "First name",
    "last_name": "Last name",
    "full_name": "Full name",
    "email": "E-mail",
    "language": "Language",
    "timezone": "Time zone",
    "consent": "Agreed to texts (yes/no)",
    "opted_out": "Opted out (yes/no)",
    "consent_at": "Date they agreed",
    "ip_address": "Proof: IP address",
    "page": "Proof: page address",
    "form": "Proof: name of the form",
    "wording": "Proof: words they agreed to",
}
"""What a column can fill, with the words for it; any other name makes a further value of the contact."""

EVIDENCE: Final = ("ip_address", "page", "form", "wording")
"""Columns that prove an agreement; they are kept with its record, not with the contact."""

IGNORED: Final = ""

NOT_IMPORTED: Final = "(not imported)"
"""So end the titles of columns that an export adds for information."""

_HEADERS: Final = {
    "number": "phone|mobile|cell|number|telephone|tel|sms|handy|movil|telefono|portable|phone number|phonenumber|"
    "mobile phone|mobile number|cell phone|cellphone|cell number|primary phone|contact number|telefon",
    "first_name": "first|first name|firstname|given name|fname|forename|nombre|prenom|vorname|preferred name",
    "last_name": "last|last name|lastname|surname|family name|lname|apellido|apellidos|nom|nachname",
    "full_name": "name|full name|fullname|customer|customer name|contact|contact name|client|client name|patient|"
    "patient name|display name",
    "email": "email|e mail|mail|email address|e mail address|correo",
    "language": "language|lang|locale|preferred language|idioma|langue|sprache",
    "timezone": "timezone|time zone|tz",
    "consent": "consent|opt in|optin|opted in|sms opt in|sms consent|text consent|sms optin|agreed|agreed to texts|"
    "text opt in|marketing consent|marketing opt in|ok to text|can text|consent given|permission|subscribed|"
    "sms permission|text permission|permission to text|can we text|may we text|sms allowed|einwilligung|"
    "consentimiento|consentement",
    "opted_out": "opt out|optout|opted out|sms opt out|text opt out|unsubscribed|unsubscribe|sms unsubscribed|"
    "do not contact|do not text|do not sms|do not call|dnc|dnd|no sms|no texts|no contact|stopped|abgemeldet",
    "consent_at": "consent date|opt in date|optin date|date of consent|consented at|consent timestamp|opted in at|"
    "opt in time|consent time|signup date|sign up date|date opted in",
    "ip_address": "ip|ip address|consent ip|opt in ip|optin ip|signup ip|sign up ip",
    "page": "consent url|consent page|opt in url|optin url|opt in page|signup url|sign up url|landing page|page url",
    "form": "form|form name|consent form|opt in form|optin form|signup form|sign up form",
    "wording": "wording|consent wording|consent text|opt in text|disclosure|disclosure text",
}
_BY_HEADER: Final = {words: field for field, alternatives in _HEADERS.items() for words in alternatives.split("|")}
_ABOUT_CONSENT: Final = re.compile(
    r"consent|permission|opt(?:ed)? ?(?:in|out)|subscri|einwillig|consenti|do not|dn[cd]\b|no (?:sms|text|contact)"
    r"|(?:can|may|ok|okay|allowed) (?:we |i )?(?:to )?(?:text|sms|contact)"
)
_YES_NO: Final = re.compile(r" (?:y n|yes no|y or n|yes or no|ja nein|si no|oui non)$")
_SYSTEM_NAMES: Final = frozenset(
    {"id", "tenant", "tenant_id", "list_id", "contact_id", "created_at", "updated_at", "row", "problem"}
)


def guess_columns(header: Sequence[str], samples: Sequence[Sequence[str]], default_country: str) -> list[str]:
    """A field name for each column (``IGNORED`` for none); no field is given twice, except further values."""
    guesses: list[str] = []
    for title in header:
        field = _BY_HEADER.get(_words(title), "")
        guesses.append(field if field not in guesses else "")
    if "number" not in guesses:
        _find_number(guesses, samples, default_country)
    return [field or custom_name(title) for field, title in zip(guesses, header, strict=True)]


def custom_name(title: str) -> str:
    """The name of a further value made from a column title; names that the system uses itself are ignored."""
    if title.strip().endswith(NOT_IMPORTED):
        return IGNORED
    name = re.sub(r"[^a-z0-9]+", "_", title.strip().lower()).strip("_")[:40]
    name = re.sub(r"^[0-9_]+", "", name)
    return IGNORED if name in _SYSTEM_NAMES or name in FIELDS else name


def may_be_about_consent(title: str) -> bool:
    """Whether a column by this name looks as if it said who may be texted: it must not become a mere further value."""
    return bool(_ABOUT_CONSENT.search(_words(title)))


def is_number(text: str, default_country: str) -> bool:
    """Whether the cell is somebody's number."""
    try:
        parse(text, default_country)
    except NumberProblem:
        return False
    return True


def _words(title: str) -> str:
    words = re.sub(r"[^a-z0-9]+", " ", title.lower()).strip()
    return _YES_NO.sub("", words)


def _find_number(guesses: list[str], samples: Sequence[Sequence[str]], default_country: str) -> None:
    """Without a telling title, the column whose samples are mostly numbers is the one."""
    best, best_share = -1, 0.5
    for column, field in enumerate(guesses):
        values = [row[column] for row in samples if column < len(row) and row[column].strip()]
        if field or not values:
            continue
        share = sum(is_number(value, default_country) for value in values) / len(values)
        if share > best_share:
            best, best_share = column, share
    if best >= 0:
        guesses[best] = "number"
