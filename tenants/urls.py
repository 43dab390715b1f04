"""Addresses of the tenants app."""

from django.urls import path

from tenants.views import switching, team

urlpatterns = [
    path("switch/", switching.tenant_switch, name="tenant_switch"),
    path("settings/", switching.settings_start, name="settings"),
    path("settings/team/", team.team, name="team"),
    path("settings/team/add/", team.member_add, name="member_add"),
    path("settings/team/<uuid:member_id>/role/", team.member_role, name="member_role"),
    path("settings/team/<uuid:member_id>/remove/", team.member_remove, name="member_remove"),
]
