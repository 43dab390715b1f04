"""Addresses of Home and of the page of one contact."""

from django.urls import path

from analytics.views import contact, home

urlpatterns = [
    path("", home.home, name="home"),
    path("first-steps/hide/", home.first_steps_hide, name="first_steps_hide"),
    path("contacts/<uuid:contact_id>/", contact.contact, name="contact"),
]
