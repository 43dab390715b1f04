"""Addresses of the consent app."""

from django.urls import path

from consent import views

urlpatterns = [
    path("ledger/keys/", views.ledger_keys, name="ledger_keys"),
    path("settings/ledger/checkpoint/", views.ledger_checkpoint, name="ledger_checkpoint"),
]
