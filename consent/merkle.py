"""The Merkle tree of the consent ledger, as RFC 9162 (section 2.1) defines it. Pure: hashes in, hashes out.

A proof is first a list of ranges of the tree (``inclusion_ranges``, ``consistency_ranges``): the subtrees whose roots
the reader needs. Who stores the tree says what their roots are, and so never has to hold more of it than one range.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

__all__ = [
    "EMPTY",
    "TILE",
    "Frontier",
    "Range",
    "TiledFrontier",
    "consistency_ranges",
    "inclusion_ranges",
    "leaf_hash",
    "node_hash",
    "root_of",
]

Range = tuple[int, int]
"""The leaves from the first to before the second; the first is a multiple of a power of two that holds the range."""

EMPTY: Final = sha256(b"").digest()
"""The root of a tree without leaves (section 2.1.1)."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf; the 0 keeps a leaf from passing for a node (section 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (section 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """What is needed of a tree in order to go on appending: the roots of its complete subtrees, the largest first.

    At most one for each binary digit of the size: the memory and the work of an append are O(log n).
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise ValueError("a tree has one complete subtree for each 1 among the binary digits of its size")
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf; subtrees of equal size become one, as a binary counter carries."""
        ones = self.size
        while ones & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            ones >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of the hashes of leaves.

    The leaves may themselves be roots of complete subtrees of one size, and the last one the root of what is left:
    RFC 9162 splits at the largest power of two, which never lies inside of one of them.
    """
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees of the proof that leaf ``index`` is in the tree of ``size`` leaves, lowest first (2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    begin, end = 0, size
    downwards: list[Range] = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            downwards.append((middle, end))
            end = middle
        else:
            downwards.append((begin, middle))
            begin = middle
    return downwards[::-1]


def consistency_ranges(old: int, size: int) -> list[Range]:
    """The subtrees of the proof that the tree of ``old`` leaves is the beginning of that of ``size`` (2.1.4.1)."""
    if not 0 < old <= size:
        raise ValueError("no such older tree")
    begin, end, rest = 0, size, old
    downwards: list[Range] = []
    while rest != end - begin:
        split = _split(end - begin)
        if rest <= split:
            downwards.append((begin + split, end))
            end = begin + split
        else:
            downwards.append((begin, begin + split))
            begin, rest = begin + split, rest - split
    known_to_reader = begin == 0
    return ([] if known_to_reader else [(begin, end)]) + downwards[::-1]


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1


TILE: Final = 256


class TiledFrontier:
    """A frontier that also gives out the root of each complete tile of 256 leaves."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        tiles, rest = divmod(size, TILE)
        split = tiles.bit_count()
        self._tiles = Frontier(tiles, peaks[:split])
        self._rest = Frontier(rest, peaks[split:])

    @property
    def size(self) -> int:
        return self._tiles.size * TILE + self._rest.size

    @property
    def peaks(self) -> list[bytes]:
        return self._tiles.peaks + self._rest.peaks

    def append(self, leaf: bytes) -> bytes | None:
        """Add the hash of a leaf; returns the root of the tile that it completes."""
        self._rest.append(leaf)
        if self._rest.size < TILE:
            return None
        complete = self._rest.root()
        self._tiles.append(complete)
        self._rest = Frontier()
        return complete

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far."""
        return Frontier(self.size, self.peaks).root()
