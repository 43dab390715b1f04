"""The character that makes a text cost more parts, for pages that point it out and offer what could stand there."""

import unicodedata
from dataclasses import dataclass

from messaging.text import apply_smart_encoding, first_offender, replacement_for

__all__ = ["Offence", "find_offence"]


@dataclass(frozen=True, slots=True)
class Offence:
    """``replacement``: what says the same ("" to leave it out), or None if nothing does."""

    character: str
    replacement: str | None
    is_written: bool
    """False: it comes from a person's data, so changing the text would not help."""
    plain_body: str
    """The written text with every such character replaced; empty when that does no more than replacing this one."""

    @property
    def name(self) -> str:
        """The character itself, or its name when nothing would be seen."""
        if self.character.isprintable() and not self.character.isspace():
            return self.character
        return unicodedata.name(self.character, "a special character").lower()


def find_offence(written: str, sent: str | None = None) -> Offence | None:
    """The first such character of what is ``sent``, which is what was ``written`` unless tags were filled in."""
    found = first_offender(written if sent is None else sent)
    if found is None:
        return None
    in_written = first_offender(written)
    character = in_written[1] if in_written else found[1]
    replacement = replacement_for(character)
    plain = apply_smart_encoding(written)
    alone = written if replacement is None else written.replace(character, replacement)
    return Offence(character, replacement, in_written is not None, plain if plain != alone else "")
