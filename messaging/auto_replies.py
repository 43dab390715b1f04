"""The words of the answers to STOP, START, HELP and YES, and of the question of a double opt-in; the texts are data, ``data/auto_replies.json``."""

import json
from pathlib import Path
from typing import Final

from tenants.models import Tenant

__all__ = ["text_of"]

_DATA: Final = json.loads(Path(__file__).with_name("data").joinpath("auto_replies.json").read_text(encoding="utf-8"))


def text_of(reply: str, tenant: Tenant, language: str | None, *, keep: str = "") -> str:
    """The text of ``reply`` in the keyword's language, in English where there is no translation.

    ``keep``: the purpose that the confirmation of an opt-out asks about, or that somebody wants to go on.
    """
    spoken = language if language in _DATA["replies"] else "en"
    template: str = _DATA["replies"][spoken][reply]
    if keep:
        kept = _DATA["kept"][spoken][keep]
        asks = f" {_DATA['kept'][spoken]['question']}" if reply == "opt_out_confirmation" else ""
        template = f"{template}{asks}".replace("{kept}", kept)
    help_text = tenant.help_contact or _DATA["default_help"][spoken]
    if help_text[-1:] not in ".!?":
        help_text += "."
    return template.replace("{help}", help_text).replace("{brand}", tenant.brand_name)
