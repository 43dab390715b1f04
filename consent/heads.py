"""The tree of heads: where the chain of every subject ends, as one hash that each checkpoint holds. Pure.

Without it a pack could leave out the newest entry of a person. Subjects fall by their first 12 bits into 4,096 buckets,
which are the leaves of a complete tree: a new entry costs the hashes of its bucket and of the way up, not of all people.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from consent.canonical import HEAD_BITS, head_text
from consent.merkle import EMPTY, leaf_hash, node_hash, root_of

__all__ = ["Head", "HeadTree", "bucket_hash", "head_leaf"]


class Head(NamedTuple):
    """The newest entry of a subject."""

    subject: bytes
    n: int
    leaf: bytes


def head_leaf(head: Head) -> bytes:
    """The hash of a head in the tree of its bucket."""
    return leaf_hash(head_text(subject=head.subject, n=head.n, leaf=head.leaf).encode())


def bucket_hash(heads: Iterable[Head]) -> bytes:
    """The hash of a bucket: over how many heads it has and the tree of them, in the order of their subjects.

    The count is in it because trees of different sizes can share a path.
    """
    leaves = [head_leaf(head) for head in sorted(heads)]
    return _bucket(len(leaves), root_of(leaves))


def _bucket(count: int, root: bytes) -> bytes:
    return leaf_hash(count.to_bytes(8, "big") + root)


def _empty_levels() -> list[bytes]:
    levels = [_bucket(0, EMPTY)]
    for _ in range(HEAD_BITS):
        levels.append(node_hash(levels[-1], levels[-1]))
    return levels


_EMPTY: Final = _empty_levels()
"""The hash of a subtree without heads, by its height."""


class HeadTree:
    """The complete tree over the buckets; those without heads are not stored."""

    def __init__(self, buckets: Mapping[int, bytes]) -> None:
        self._levels: list[dict[int, bytes]] = [dict(buckets)]
        for height in range(HEAD_BITS):
            parents = {place >> 1 for place in self._levels[height]}
            self._levels.append({place: self._parent(height, place) for place in parents})

    def _node(self, height: int, place: int) -> bytes:
        return self._levels[height].get(place, _EMPTY[height])

    def _parent(self, height: int, place: int) -> bytes:
        return node_hash(self._node(height, 2 * place), self._node(height, 2 * place + 1))

    def put(self, bucket: int, value: bytes) -> None:
        """Replace the hash of a bucket."""
        self._levels[0][bucket] = value
        for height in range(HEAD_BITS):
            bucket >>= 1
            self._levels[height + 1][bucket] = self._parent(height, bucket)

    @property
    def root(self) -> bytes:
        """The hash over all heads."""
        return self._node(HEAD_BITS, 0)

    def path(self, bucket: int) -> list[bytes]:
        """The inclusion proof of a bucket."""
        return [self._node(height, (bucket >> height) ^ 1) for height in range(HEAD_BITS)]
