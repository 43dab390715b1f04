"""Addresses of the campaigns app."""

from django.urls import path, register_converter

from campaigns import views


class Action:
    """What can be done with a campaign that has left the composer."""

    regex = "pause|resume|cancel|unschedule"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Action, "campaign_action")

urlpatterns = [
    path("", views.campaigns, name="campaigns"),
    path("new/", views.campaign_new, name="campaign_new"),
    path("preview/", views.campaign_preview, name="campaign_preview"),
    path("<uuid:campaign_id>/", views.campaign, name="campaign"),
    path("<uuid:campaign_id>/edit/", views.campaign_edit, name="campaign_edit"),
    path("<uuid:campaign_id>/review/", views.campaign_review, name="campaign_review"),
    path("<uuid:campaign_id>/<campaign_action:action>/", views.campaign_act, name="campaign_act"),
]
