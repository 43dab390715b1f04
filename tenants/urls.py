"""Addresses of the tenants app."""

from django.urls import path

from tenants import views

urlpatterns = [
    path("switch/", views.tenant_switch, name="tenant_switch"),
    path("settings/", views.settings_start, name="settings"),
    path("settings/team/", views.team, name="team"),
    path("settings/team/add/", views.member_add, name="member_add"),
    path("settings/team/<uuid:member_id>/role/", views.member_role, name="member_role"),
    path("settings/team/<uuid:member_id>/remove/", views.member_remove, name="member_remove"),
]
