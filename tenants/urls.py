"""Addresses of the tenants app."""

from django.urls import path

from tenants.views import account, audit, business, countries, invitations, security, signing_up, switching, team

urlpatterns = [
    path("new-account/", signing_up.tenant_new, name="tenant_new"),
    path("switch/", switching.tenant_switch, name="tenant_switch"),
    path("settings/", switching.settings_start, name="settings"),
    path("account/", account.account, name="account"),
    path("account/name/", account.name, name="account_name"),
    path("account/address/", account.address, name="account_address"),
    path("account/address/<str:token>/", account.address_confirm, name="account_address_confirm"),
    path("account/sessions/end/", account.other_sessions_end, name="account_sessions_end"),
    path("account/sessions/<uuid:session_id>/end/", account.session_end, name="account_session_end"),
    path("account/needed/", security.second_step_needed, name="second_step_needed"),
    path("settings/security/", security.security, name="security"),
    path("settings/security/rule/", security.security_rule, name="security_rule"),
    path("settings/business/", business.business, name="business"),
    path("settings/business/export/", business.export_ask, name="export_ask"),
    path("settings/business/exports/<uuid:export_id>/", business.export_download, name="export_download"),
    path("settings/business/hand-over/", business.business_hand_over, name="business_hand_over"),
    path("settings/business/delete/", business.deletion_ask, name="deletion_ask"),
    path("settings/business/keep/", business.deletion_cancel, name="deletion_cancel"),
    path("settings/team/", team.team, name="team"),
    path("settings/countries/", countries.countries, name="countries"),
    path("settings/audit/", audit.audit_log, name="audit_log"),
    path("settings/audit/export/", audit.audit_export, name="audit_export"),
    path("settings/team/invite/", team.member_invite, name="member_invite"),
    path("settings/team/leave/", team.team_leave, name="team_leave"),
    path("settings/team/<uuid:member_id>/back/", team.member_back, name="member_back"),
    path("settings/team/invitations/<uuid:invitation_id>/again/", team.invitation_again, name="invitation_again"),
    path("settings/team/invitations/<uuid:invitation_id>/revoke/", team.invitation_revoke, name="invitation_revoke"),
    path("settings/team/<uuid:member_id>/role/", team.member_role, name="member_role"),
    path("settings/team/<uuid:member_id>/remove/", team.member_remove, name="member_remove"),
    path("invitations/<uuid:invitation_id>/<str:secret>/", invitations.invitation, name="invitation"),
    path(
        "invitations/<uuid:invitation_id>/<str:secret>/log-out/",
        invitations.invitation_log_out,
        name="invitation_log_out",
    ),
]
