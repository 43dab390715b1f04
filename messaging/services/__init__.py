"""What can be done with messages, senders and templates."""

from messaging.services.numbers import note_changed_numbers, opt_out_list, set_part_price, try_number_again
from messaging.services.own_numbers import ask_own_number
from messaging.services.pools import make_default_pool, save_pool, set_weight
from messaging.services.receiving import receive
from messaging.services.senders import (
    add_provider_account,
    add_sender,
    make_default_sender,
    replace_secret,
    set_account_status,
    set_pace,
    set_sender_status,
)
from messaging.services.sending import (
    cancel_batches,
    hold_batches,
    send_reply,
    why_or_why_not,
)
from messaging.services.spending import set_spend_limit
from messaging.services.subaccounts import provide_subaccount
from messaging.services.templates import delete_template, save_template
from messaging.services.waking import wake

__all__ = [
    "add_provider_account",
    "add_sender",
    "ask_own_number",
    "cancel_batches",
    "delete_template",
    "hold_batches",
    "make_default_pool",
    "make_default_sender",
    "note_changed_numbers",
    "opt_out_list",
    "provide_subaccount",
    "receive",
    "replace_secret",
    "save_pool",
    "save_template",
    "send_reply",
    "set_account_status",
    "set_pace",
    "set_part_price",
    "set_sender_status",
    "set_spend_limit",
    "set_weight",
    "try_number_again",
    "wake",
    "why_or_why_not",
]
