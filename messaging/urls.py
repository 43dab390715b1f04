"""Addresses of messaging: settings pages, virtual phones, and the providers' callbacks."""

from django.urls import path, register_converter

from messaging.views import (
    callbacks,
    compliance,
    double_opt_in,
    evidence,
    frequency,
    hours,
    numbers,
    one_phone,
    opt_outs,
    phones,
    pools,
    rules,
    senders,
    spending,
    templates,
    trial,
    validity,
)


class SenderAction:
    """What can be done with a sender."""

    regex = "default|pause|activate"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class AccountAction(SenderAction):
    """What can be done with an account."""

    regex = "pause|activate"


class WithHours(SenderAction):
    """What a tenant has hours and limits for."""

    regex = "marketing|reminder|transactional"


class WithConsent(SenderAction):
    """What people agree to."""

    regex = "marketing|transactional|reminder|support|internal"


register_converter(WithConsent, "with_consent")
register_converter(WithHours, "with_hours")
register_converter(SenderAction, "sender_action")
register_converter(AccountAction, "account_action")

urlpatterns = [
    path("settings/senders/", senders.senders, name="senders"),
    path("settings/senders/accounts/add/", senders.account_add, name="account_add"),
    path("settings/senders/accounts/<uuid:account_id>/token/", senders.account_token, name="account_token"),
    path(
        "settings/senders/accounts/<uuid:account_id>/<account_action:action>/", senders.account_act, name="account_act"
    ),
    path("settings/senders/accounts/<uuid:account_id>/weight/", pools.account_weight, name="account_weight"),
    path("settings/senders/pools/add/", pools.pool_add, name="pool_add"),
    path("settings/senders/pools/<uuid:pool_id>/", pools.pool_edit, name="pool_edit"),
    path("settings/senders/pools/<uuid:pool_id>/default/", pools.pool_default, name="pool_default"),
    path("settings/senders/<uuid:sender_id>/pace/", senders.sender_pace, name="sender_pace"),
    path("settings/senders/add/", senders.sender_add, name="sender_add"),
    path("settings/senders/<uuid:sender_id>/<sender_action:action>/", senders.sender_act, name="sender_act"),
    path("settings/templates/", templates.templates, name="templates"),
    path("settings/templates/new/", templates.template_new, name="template_new"),
    path("settings/templates/<uuid:template_id>/", templates.template_edit, name="template_edit"),
    path("settings/templates/<uuid:template_id>/delete/", templates.template_delete, name="template_delete"),
    path("settings/trial/", trial.trial, name="trial"),
    path("settings/trial/own-number/", trial.own_number, name="trial_own_number"),
    path("settings/trial/guests/", trial.guest_add, name="trial_guest_add"),
    path("settings/trial/numbers/<uuid:number_id>/remove/", trial.number_remove, name="trial_number_remove"),
    path("settings/trial/approval/", trial.approval_ask, name="approval_ask"),
    path("contacts/<uuid:contact_id>/evidence/", evidence.contact_evidence, name="contact_evidence"),
    path("settings/compliance/", compliance.compliance, name="compliance"),
    path("settings/compliance/hours/<with_hours:purpose>/", hours.own_hours_edit, name="own_hours_edit"),
    path("settings/compliance/limits/<with_hours:purpose>/", frequency.frequency_edit, name="frequency_edit"),
    path("settings/compliance/expiry/<with_consent:purpose>/", validity.expiry_edit, name="expiry_edit"),
    path("settings/compliance/rules/<with_consent:purpose>/", rules.rules_edit, name="rules_edit"),
    path("settings/compliance/spending/", spending.spending, name="spending"),
    path("settings/compliance/opt-outs/", opt_outs.opt_out_rules, name="opt_out_rules"),
    path("settings/compliance/opt-outs/list/", opt_outs.opt_out_numbers, name="opt_out_numbers"),
    path("settings/compliance/double-opt-in/", double_opt_in.double_opt_in, name="double_opt_in"),
    path("settings/compliance/numbers/", numbers.unreachable, name="unreachable"),
    path("settings/compliance/numbers/price/", numbers.part_price, name="part_price"),
    path("settings/compliance/numbers/<uuid:mark_id>/again/", numbers.number_again, name="number_again"),
    path("settings/compliance/changed-numbers/", numbers.changed_numbers, name="changed_numbers"),
    path("parts/", templates.part_count, name="part_count"),
    path("phones/", phones.phones, name="phones"),
    path("phones/weather/", phones.phones_weather, name="phones_weather"),
    path("phones/<str:number>/", one_phone.phone, name="phone"),
    path("phones/<str:number>/reply/", one_phone.phone_reply, name="phone_reply"),
    path("phones/<str:number>/script/", one_phone.phone_script, name="phone_script"),
    path("callbacks/<slug:kind>/<uuid:account_id>/inbound", callbacks.inbound, name="callback_inbound"),
    path("callbacks/<slug:kind>/<uuid:account_id>/status", callbacks.status, name="callback_status"),
]
