"""A first look at a file while it is stored: how it is encoded, how large it is, whether it is text at all."""

import codecs
import hashlib
from typing import Final

from contacts.importing.letters import ForeignWords
from contacts.importing.limits import FileProblem, Limits

__all__ = ["Survey"]

_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_ZIP: Final = b"PK\x03\x04"
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"
_ALL_BUT_ASCII: Final = bytes(range(0x80, 0x100))
_BEGINNING: Final = 4096
_DAMAGED: Final = "The file is damaged: its text cannot be decoded. Save it again as CSV (UTF-8)."


class Survey:
    """Takes a file piece by piece; raises ``FileProblem`` as soon as it is one that cannot be imported."""

    def __init__(self, bounds: Limits) -> None:
        self.size = 0
        self._beginning = b""
        self._sha256 = hashlib.sha256()
        self._limits = bounds
        self._feeds = self._returns = 0
        self._ends_open = False
        self._wrong = self._good = 0
        self._words = ForeignWords()
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._utf16 = codecs.getincrementaldecoder("utf-16")("strict")

    def take(self, piece: bytes) -> None:
        """Look at the next piece."""
        first = not self.size
        self.size += len(piece)
        self._limits.check_bytes(self.size)
        self._sha256.update(piece)
        self._feeds += piece.count(b"\n")
        self._returns += piece.count(b"\r")
        self._ends_open = not piece.rstrip(b"\0").endswith((b"\n", b"\r"))
        self._limits.check_lines(self.lines)
        if first:
            self._beginning = piece[:_BEGINNING]
            _check_kind(self._beginning)
        if self.encoding_by_mark == "utf-16":
            self._check_utf16(piece, final=False)
        elif not piece.isascii() or self._utf8.getstate()[0]:
            self._count(self._utf8.decode(piece), piece)
            self._words.take(piece)

    def finish(self) -> str:
        """The encoding of the whole file."""
        by_mark = self.encoding_by_mark
        if by_mark == "utf-16":
            self._check_utf16(b"", final=True)
        else:
            self._count(self._utf8.decode(b"", final=True), b"")
        # Spreadsheet programs on Windows save the Western European code page. The letters of a code page hardly ever
        # make good sequences, so a file with mostly good ones is UTF-8 in spite of some wrong bytes.
        encoding = by_mark or ("utf-8" if self._good >= self._wrong else "cp1252")
        if _is_binary(self._beginning.decode(encoding, errors="replace")):
            raise FileProblem(
                "This is not a text file. In your spreadsheet program choose Save as > CSV, and upload that file."
            )
        if encoding == "cp1252":
            self._words.check()
        return encoding

    @property
    def lines(self) -> int:
        """How many lines the file has; cells over several lines count with each."""
        return max(self._feeds, self._returns) + self._ends_open

    @property
    def sha256(self) -> str:
        """Of all pieces so far, in hexadecimal digits."""
        return self._sha256.hexdigest()

    @property
    def encoding_by_mark(self) -> str:
        """What the first bytes say, if they are a mark; else empty."""
        return next((codec for mark, codec in _BOMS if self._beginning.startswith(mark)), "")

    def _check_utf16(self, piece: bytes, *, final: bool) -> None:
        try:
            self._utf16.decode(piece, final)
        except UnicodeDecodeError:
            raise FileProblem(_DAMAGED) from None

    def _count(self, text: str, piece: bytes) -> None:
        wrong = text.count("\N{REPLACEMENT CHARACTER}")
        self._wrong += wrong
        self._good += len(text) - len(piece.translate(None, _ALL_BUT_ASCII)) - wrong


def _check_kind(beginning: bytes) -> None:
    if beginning.startswith(_ZIP):
        raise FileProblem(
            "This is a packed file (zip). Unpack it, and upload the CSV file or the Excel workbook in it."
        )
    if beginning.startswith(_OLD_WORKBOOK):
        raise FileProblem(
            "This is a workbook of an old Excel version (.xls). Save it as an Excel workbook (.xlsx) or as CSV, and "
            "upload that file."
        )


def _is_binary(text: str) -> bool:
    """Whether the beginning looks like a picture or a program: a good share of it are control characters."""
    controls = sum(character < " " and character not in "\t\r\n" for character in text)
    return controls > len(text) // 20 + 1
