"""What a virtual phone answers by itself: a line for each answer, ``words -> answer``, each used once.

The first unused line whose words are in the text answers it; ``*`` is in every text. Lines end, so two robots cannot keep
each other busy.
"""

import json
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["ARROW", "LONGEST_WAIT", "Line", "Script"]

ARROW: Final = "->"
ANY: Final = "*"
MOST_LINES: Final = 20
LONGEST_ANSWER: Final = 1600
LONGEST_WAIT: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Line:
    """One answer."""

    words: str
    answer: str
    used: bool = False

    def fits(self, body: str) -> bool:
        """Whether it answers this text."""
        return not self.used and (self.words == ANY or self.words.casefold() in body.casefold())


@dataclass(frozen=True, slots=True)
class Script:
    """The lines in order, and how many seconds after a text its answer is written."""

    lines: tuple[Line, ...] = ()
    seconds: float = 1.0

    @classmethod
    def parse(cls, text: str, *, seconds: float) -> "Script":
        """Read what a person typed; raises ``ValueError`` that says which line is wrong and how it should be."""
        numbered = [(n, line.strip()) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
        if len(numbered) > MOST_LINES:
            raise ValueError(f"A phone has at most {MOST_LINES} answers; these are {len(numbered)}.")
        return cls(tuple(_line(n, line) for n, line in numbered), seconds)

    def answer_to(self, body: str) -> tuple[str, "Script"]:
        """The answer (or nothing), and the script without it."""
        for n, line in enumerate(self.lines):
            if line.fits(body):
                left = (*self.lines[:n], replace(line, used=True), *self.lines[n + 1 :])
                return line.answer, replace(self, lines=left)
        return "", self

    @property
    def text(self) -> str:
        """As it is typed."""
        return "\n".join(f"{line.words} {ARROW} {line.answer}" for line in self.lines)

    @property
    def used(self) -> int:
        """How many lines have answered."""
        return sum(line.used for line in self.lines)

    def as_json(self) -> str:
        """As it is kept."""
        lines = [[line.words, line.answer, line.used] for line in self.lines]
        return json.dumps({"lines": lines, "seconds": self.seconds})

    @classmethod
    def from_json(cls, kept: str) -> "Script":
        """What was kept; an empty script when nothing was."""
        if not kept:
            return cls()
        content = json.loads(kept)
        return cls(tuple(Line(*line) for line in content["lines"]), float(content["seconds"]))


def _line(n: int, text: str) -> Line:
    words, arrow, answer = (part.strip() for part in text.partition(ARROW))
    if not (words and arrow and answer):
        raise ValueError(
            f"Line {n} is not an answer. Write the words of the text, {ARROW} and the answer: confirm {ARROW} YES"
        )
    if len(answer) > LONGEST_ANSWER:
        raise ValueError(f"The answer in line {n} has {len(answer)} characters; {LONGEST_ANSWER} are possible.")
    return Line(words, answer)
