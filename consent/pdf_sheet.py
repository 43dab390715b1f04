"""Setting text on the pages of a PDF: headings, paragraphs, facts and quotations, one below the other.

What is set comes from people: letters that the font lacks, and those written from right to left, which it cannot set in
their order, stand as their code points. Nothing is left out.
"""

import io
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from typing import Any, Final

from django.conf import settings
from reportlab.lib.pagesizes import letter
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

__all__ = ["Sheet", "settable"]

PLAIN: Final = "DejaVuSans"
BOLD: Final = "DejaVuSans-Bold"
_FONTS: Final = settings.BASE_DIR / "static" / "build"
"""Put there with the assets (``package.json``)."""

WIDTH, HEIGHT = letter
MARGIN: Final = 54.0
INSIDE: Final = WIDTH - 2 * MARGIN
LEADING: Final = 1.4
BLACK: Final = 0.1
GREY: Final = 0.4


@cache
def _letters() -> frozenset[str]:
    """The letters that can be set; the fonts are read once."""
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, _FONTS / f"{name}.ttf"))
    font: Any = pdfmetrics.getFont(PLAIN)
    return frozenset(map(chr, font.face.charToGlyph))


def settable(text: str) -> str:
    """The text with code points in the place of what the font cannot show."""
    known = _letters()
    return "".join(
        one if one == "\n" or (one in known and _shown_as_it_is(one)) else f"[U+{ord(one):04X}]" for one in text
    )


@cache
def _shown_as_it_is(one: str) -> bool:
    return unicodedata.category(one)[0] != "C" and unicodedata.bidirectional(one) not in ("R", "AL")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    x: float
    y: float
    font: str
    size: float
    grey: float


@dataclass(frozen=True, slots=True)
class _Bar:
    """The line at the side of a quotation."""

    x: float
    y: float
    height: float


@dataclass
class Sheet:
    """A document that grows downwards; ``footer`` stands on every page."""

    title: str
    footer: str
    _pages: list[list[_Line | _Bar]] = field(default_factory=lambda: [[]])
    _y: float = HEIGHT - MARGIN

    def heading(self, text: str, *, size: float = 13) -> None:
        """A heading, which is never the last thing of a page."""
        if self._pages[-1]:
            self.gap(size * 0.9)
        self._room_for(size * 5)
        self._set(text, font=BOLD, size=size)
        self.gap(3)

    def paragraph(self, text: str, *, bold: bool = False, grey: bool = False, size: float = 9.5) -> None:
        """Some text."""
        self._set(text, font=BOLD if bold else PLAIN, size=size, grey=GREY if grey else BLACK)

    def facts(self, facts: Iterable[tuple[str, str]], *, labels: float = 130) -> None:
        """What is called what, in two columns."""
        for label, value in facts:
            left = _lines(settable(label), PLAIN, 9.5, labels - 8)
            right = _lines(settable(value), PLAIN, 9.5, INSIDE - labels)
            for name, words in zip_longest(left, right, fillvalue=""):
                self._next_line(9.5)
                self._put(name, MARGIN, PLAIN, 9.5, GREY)
                self._put(words, MARGIN + labels, PLAIN, 9.5, BLACK)

    def quote(self, text: str) -> None:
        """Words exactly as they were."""
        self._set(text or "(no text)", size=9.5, x=MARGIN + 12, width=INSIDE - 12, bar=True)
        self.gap(2)

    def gap(self, height: float) -> None:
        """Some white."""
        self._y -= height

    def _room_for(self, height: float) -> None:
        """Go to a new page unless there is room."""
        if self._y - height < MARGIN + 12:
            self._pages.append([])
            self._y = HEIGHT - MARGIN

    def _set(
        self,
        text: str,
        *,
        size: float,
        font: str = PLAIN,
        grey: float = BLACK,
        x: float = MARGIN,
        width: float = INSIDE,
        bar: bool = False,
    ) -> None:
        for line in _lines(settable(text), font, size, width):
            self._next_line(size)
            self._put(line, x, font, size, grey)
            if bar:
                self._pages[-1].append(_Bar(MARGIN + 3, self._y - size * 0.35, size * LEADING))

    def _next_line(self, size: float) -> None:
        self._room_for(size * LEADING)
        self._y -= size * LEADING

    def _put(self, text: str, x: float, font: str, size: float, grey: float) -> None:
        if text:
            self._pages[-1].append(_Line(text, x, self._y, font, size, grey))

    def finish(self) -> bytes:
        """The PDF; the same content gives the same bytes."""
        buffer = io.BytesIO()
        canvas: Any = Canvas(buffer, pagesize=letter, invariant=1, pageCompression=1, lang="en")
        canvas.setTitle(self.title)
        for number, page in enumerate(self._pages, start=1):
            for one in page:
                _draw(canvas, one)
            foot = f"Page {number} of {len(self._pages)}"
            _draw(canvas, _Line(settable(self.footer), MARGIN, MARGIN - 18, PLAIN, 7.5, GREY))
            at = WIDTH - MARGIN - pdfmetrics.stringWidth(foot, PLAIN, 7.5)
            _draw(canvas, _Line(foot, at, MARGIN - 18, PLAIN, 7.5, GREY))
            canvas.showPage()
        canvas.save()
        return buffer.getvalue()


def _draw(canvas: Any, one: _Line | _Bar) -> None:
    if isinstance(one, _Bar):
        canvas.setFillGray(0.75)
        canvas.rect(one.x, one.y, 2, one.height, stroke=0, fill=1)
        return
    canvas.setFont(one.font, one.size)
    canvas.setFillGray(one.grey)
    canvas.drawString(one.x, one.y, one.text)


def _lines(text: str, font: str, size: float, width: float) -> Iterator[str]:
    """The text broken into lines; a word that is wider than a line is broken too."""
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            tried = f"{line} {word}" if line else word
            if pdfmetrics.stringWidth(tried, font, size) <= width:
                line = tried
                continue
            if line:
                yield line
            while pdfmetrics.stringWidth(word, font, size) > width:
                fits = _fitting(word, font, size, width)
                yield word[:fits]
                word = word[fits:]
            line = word
        yield line


def _fitting(word: str, font: str, size: float, width: float) -> int:
    """How many letters of a word fit on a line: one at least."""
    used = 0.0
    for place, one in enumerate(word):
        used += pdfmetrics.stringWidth(one, font, size)
        if used > width:
            return max(place, 1)
    return len(word)
