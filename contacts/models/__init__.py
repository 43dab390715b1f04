"""The people a tenant knows, the lists and tags they stand in, and the files they came from."""

from contacts.models.contact import Contact
from contacts.models.duplicates import DuplicatePair, DuplicateSearch
from contacts.models.fields import ContactField, ContactValue
from contacts.models.filters import ContactFilter
from contacts.models.imports import ContactImport, ImportColumns, ImportFilePart, ImportRange, ImportRow
from contacts.models.jobs import ContactJob, ContactJobRow, ExportPiece
from contacts.models.lists import ContactList, ContactTag, ListMember, Tag
from contacts.models.notes import ContactChange, ContactNote
from contacts.models.numbers import ContactNumber

__all__ = [
    "Contact",
    "ContactChange",
    "ContactField",
    "ContactFilter",
    "ContactImport",
    "ContactJob",
    "ContactJobRow",
    "ContactList",
    "ContactNote",
    "ContactNumber",
    "ContactTag",
    "ContactValue",
    "DuplicatePair",
    "DuplicateSearch",
    "ExportPiece",
    "ImportColumns",
    "ImportFilePart",
    "ImportRange",
    "ImportRow",
    "ListMember",
    "Tag",
]
