"""Addresses of the contacts app. The page of one contact is ``analytics``', which knows all that happened."""

from django.urls import path

from contacts.views import archive, bulk, contacts, duplicates, erase, fields, filters, imports, lists, notes, numbers

urlpatterns = [
    path("", contacts.contacts, name="contacts"),
    path("add/", contacts.contact_add, name="contact_add"),
    path("bulk/", bulk.bulk, name="contact_bulk"),
    path("duplicates/", duplicates.duplicates, name="duplicates"),
    path("duplicates/find/", duplicates.duplicates_find, name="duplicates_find"),
    path("duplicates/<uuid:pair_id>/dismiss/", duplicates.pair_dismiss, name="pair_dismiss"),
    path("<uuid:contact_id>/merge/<uuid:gone_id>/", duplicates.contact_merge, name="contact_merge"),
    path("jobs/", bulk.jobs, name="contact_jobs"),
    path("jobs/<uuid:job_id>/", bulk.job, name="contact_job"),
    path("jobs/<uuid:job_id>/file/", bulk.job_file, name="contact_job_file"),
    path("jobs/<uuid:job_id>/cancel/", bulk.job_cancel, name="contact_job_cancel"),
    path("<uuid:contact_id>/edit/", contacts.contact_edit, name="contact_edit"),
    path("<uuid:contact_id>/opt-in/", contacts.contact_opt_in, name="contact_opt_in"),
    path("<uuid:contact_id>/opt-out/", contacts.contact_opt_out, name="contact_opt_out"),
    path("<uuid:contact_id>/numbers/add/", numbers.contact_number_add, name="contact_number_add"),
    path(
        "<uuid:contact_id>/numbers/<uuid:number_id>/prefer/",
        numbers.contact_number_prefer,
        name="contact_number_prefer",
    ),
    path(
        "<uuid:contact_id>/numbers/<uuid:number_id>/remove/",
        numbers.contact_number_remove,
        name="contact_number_remove",
    ),
    path("<uuid:contact_id>/tags/", contacts.contact_tag, name="contact_tag"),
    path("<uuid:contact_id>/lists/", contacts.contact_list_add, name="contact_list_add"),
    path("<uuid:contact_id>/lists/<uuid:list_id>/remove/", contacts.contact_list_remove, name="contact_list_remove"),
    path("<uuid:contact_id>/archive/", archive.contact_archive, name="contact_archive"),
    path("<uuid:contact_id>/unarchive/", archive.contact_unarchive, name="contact_unarchive"),
    path("<uuid:contact_id>/erase/", erase.contact_erase, name="contact_erase"),
    path("<uuid:contact_id>/notes/", notes.note_add, name="note_add"),
    path("<uuid:contact_id>/notes/<uuid:note_id>/", notes.note_edit, name="note_edit"),
    path("<uuid:contact_id>/notes/<uuid:note_id>/delete/", notes.note_delete, name="note_delete"),
    path("import/", imports.imports, name="imports"),
    path("import/<uuid:import_id>/", imports.import_job, name="import_job"),
    path("import/<uuid:import_id>/confirm/", imports.import_confirm, name="import_confirm"),
    path("import/<uuid:import_id>/undo/", imports.import_undo, name="import_undo"),
    path("import/<uuid:import_id>/delete/", imports.import_delete, name="import_delete"),
    path("import/<uuid:import_id>/rejected.csv", imports.import_rejected, name="import_rejected"),
    path("filters/", filters.filters, name="filters"),
    path("filters/new/", filters.filter_new, name="filter_new"),
    path("filters/<uuid:filter_id>/", filters.filter_edit, name="filter_edit"),
    path("filters/<uuid:filter_id>/delete/", filters.filter_delete, name="filter_delete"),
    path("lists/", lists.lists, name="lists"),
    path("lists/<uuid:list_id>/rename/", lists.list_rename, name="list_rename"),
    path("lists/<uuid:list_id>/delete/", lists.list_delete, name="list_delete"),
]

settings_urlpatterns = [
    path("fields/", fields.fields, name="contact_fields"),
    path("fields/<uuid:field_id>/edit/", fields.field_edit, name="contact_field_edit"),
    path("fields/<uuid:field_id>/move/", fields.field_move, name="contact_field_move"),
    path("fields/<uuid:field_id>/delete/", fields.field_delete, name="contact_field_delete"),
]
