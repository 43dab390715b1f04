"""The words at the end of a text that say how to opt out: one place decides, for what is planned and what is shown.

Opt-out words belong into mass texts (CTIA Messaging Principles 5.1.2.1). A text that says so already does not say it twice.
"""

import re
from typing import Final

from consent.preferences import TAG as PREFERENCES_LINK
from messaging.merge_tags import names

__all__ = ["FOOTER", "ONE_WAY_FOOTER", "final_text", "tells_how_to_stop"]

ONE_WAY_FOOTER: Final = f"No replies. Opt out: {{{{ {PREFERENCES_LINK} }}}}"
FOOTER: Final = "Reply STOP to opt out, HELP for help."

_STOP: Final = r"[\"'“”‘’«»]?\s*STOP\b"
_TELLS: Final = re.compile(
    rf"\b(?:reply|text|txt|send|write|répondez|repondez|envoyez|responde|responda|envíe|envie|envía)(?:\s+with)?\s*{_STOP}"
    # In capitals, as in a footer: "STOP=end", "STOP to opt out", "STOP 2 quit". Not "stop to think".
    rf"|(?-i:{_STOP}[\"'“”‘’«»]?)\s*(?:=|to|2|pour|para)\s*(?:opt[\s-]?out|end|unsub|unsubscribe|cancel|quit|stop|(?:se )?désinscrire|cancelar)\b",
    re.IGNORECASE,
)


def tells_how_to_stop(text: str) -> bool:
    """Whether the text itself says that STOP ends it. In doubt it does not: twice is better than never."""
    return bool(_TELLS.search(text))


def final_text(body: str, *, footer: bool, one_way: bool = False) -> str:
    """The text with its footer, before merge tags are filled: what goes, what the preview shows, what is counted.

    ``one_way``: nobody can answer the sender, so every text says so and gives another way out (47 CFR 64.1200(a)(10)),
    whatever the footer's rule is.
    """
    if one_way:
        return body if PREFERENCES_LINK in names(body) else f"{body.rstrip()}\n{ONE_WAY_FOOTER}"
    return f"{body.rstrip()}\n{FOOTER}" if footer and not tells_how_to_stop(body) else body
