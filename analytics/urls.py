"""Addresses of Home, of the page of one contact, and of Health."""

from django.urls import path

from analytics.views import contact, health, home

urlpatterns = [
    path("", home.home, name="home"),
    path("first-steps/hide/", home.first_steps_hide, name="first_steps_hide"),
    path("settings/health/", health.health, name="health"),
    path("contacts/<uuid:contact_id>/", contact.contact, name="contact"),
]
