"""Addresses of the consent app."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from consent import preference_page, views


class LogSize(IntConverter):
    """A number of entries: never more digits than the database can hold."""

    regex = "[0-9]{1,18}"


register_converter(LogSize, "log_size")

urlpatterns = [
    path("p/<slug:token>/", preference_page.preferences, name="preferences"),
    path("ledger/keys/", views.ledger_keys, name="ledger_keys"),
    path("ledger/verifier/", views.ledger_verifier, name="ledger_verifier"),
    path("settings/ledger/", views.ledger, name="ledger"),
    path("settings/ledger/log/", views.ledger_log, name="ledger_log"),
    path("settings/ledger/retention/", views.retention_edit, name="retention_edit"),
    path("settings/ledger/checkpoint/", views.ledger_checkpoint, name="ledger_checkpoint"),
    path("settings/ledger/checkpoint/<log_size:size>/", views.ledger_checkpoint, name="ledger_checkpoint_of"),
]
