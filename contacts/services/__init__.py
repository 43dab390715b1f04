"""What can be done with contacts, lists, tags and import files."""

from contacts.services.archive import archive_contact, unarchive_contact
from contacts.services.bulk import cancel_job, start_job
from contacts.services.columns import choose_columns
from contacts.services.contacts import create_contact, note_wrote, update_contact
from contacts.services.erase import erase_contact
from contacts.services.fields import create_field, delete_field, ensure_fields, move_field, update_field
from contacts.services.filters import delete_filter, save_filter
from contacts.services.import_review import refuse_import, release_import
from contacts.services.imports import (
    check_import,
    confirm_import,
    delete_import,
    start_import,
    undo_import,
    upload_import,
)
from contacts.services.lists import (
    add_to_list,
    create_list,
    delete_list,
    get_or_create_tag,
    remove_from_list,
    rename_list,
    tag_contact,
    untag_contact,
)
from contacts.services.merge import dismiss_pair, merge_contacts, start_search
from contacts.services.notes import add_note, delete_note, edit_note
from contacts.services.numbers import add_number, prefer_number, remove_number

__all__ = [
    "add_note",
    "add_number",
    "add_to_list",
    "archive_contact",
    "cancel_job",
    "check_import",
    "choose_columns",
    "confirm_import",
    "create_contact",
    "create_field",
    "create_list",
    "delete_field",
    "delete_filter",
    "delete_import",
    "delete_list",
    "delete_note",
    "dismiss_pair",
    "edit_note",
    "ensure_fields",
    "erase_contact",
    "get_or_create_tag",
    "merge_contacts",
    "move_field",
    "note_wrote",
    "prefer_number",
    "refuse_import",
    "release_import",
    "remove_from_list",
    "remove_number",
    "rename_list",
    "save_filter",
    "start_import",
    "start_job",
    "start_search",
    "tag_contact",
    "unarchive_contact",
    "undo_import",
    "untag_contact",
    "update_contact",
    "update_field",
    "upload_import",
]
