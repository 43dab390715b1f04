"""The one error of the embedded stack; its text is shown to the person who started it."""


class EmbeddedError(Exception):
    """Something the person at the keyboard can put right; the message says how."""
