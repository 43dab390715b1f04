"""Reading the stored log: the roots of ranges that proofs are made of."""

from collections.abc import Iterable
from functools import cache, cached_property

from consent.merkle import TILE, Range, consistency_ranges, inclusion_ranges, root_of
from consent.models import LedgerLeaf, LedgerTile

__all__ = ["StoredTree"]


class StoredTree:
    """The active tenant's log up to a size. Holds the roots of its tiles, and the leaves of the tiles asked for."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._leaves = cache(self._read_leaves)
        # Proofs of one log share their large ranges.
        self._root = cache(self._root_of)

    @cached_property
    def _tiles(self) -> list[bytes]:
        rows = LedgerTile.objects.filter(tile__lt=self.size // TILE).order_by("tile")
        return [bytes(value) for value in rows.values_list("hash", flat=True)]

    def _read_leaves(self, tile: int) -> list[bytes]:
        rows = LedgerLeaf.objects.filter(position__gte=tile * TILE, position__lt=min((tile + 1) * TILE, self.size))
        return [bytes(value) for value in rows.order_by("position").values_list("hash", flat=True)]

    def inclusion(self, position: int) -> list[bytes]:
        """The proof that a leaf is in the log."""
        return self._roots(inclusion_ranges(position, self.size))

    def consistency(self, old_size: int) -> list[bytes]:
        """The proof that an older log is the beginning of this one."""
        return self._roots(consistency_ranges(old_size, self.size))

    def _roots(self, ranges: Iterable[Range]) -> list[bytes]:
        return [self._root(begin, end) for begin, end in ranges]

    def _root_of(self, begin: int, end: int) -> bytes:
        tile, first = divmod(begin, TILE)
        if end - begin < TILE:
            return root_of(self._leaves(tile)[first : first + end - begin])
        whole, rest = divmod(end, TILE)
        remainder = [root_of(self._leaves(whole)[:rest])] if rest else []
        return root_of(self._tiles[tile:whole] + remainder)
