"""The words at the end of a text that say how to opt out: one place decides, for what is planned and what is shown.

Opt-out words belong into mass texts (CTIA Messaging Principles 5.1.2.1). A text that says so already does not say it twice.
"""

import re
from typing import Final

__all__ = ["FOOTER", "final_text", "tells_how_to_stop"]

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


def final_text(body: str, *, footer: bool) -> str:
    """The text with its footer, before merge tags are filled: what goes, what the preview shows, what is counted."""
    return f"{body.rstrip()}\n{FOOTER}" if footer and not tells_how_to_stop(body) else body
