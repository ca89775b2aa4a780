"""Merkle trees as in Certificate Transparency: one hash that stands for many leaves, in their order.

RFC 6962 and RFC 9162, section 2.1: SHA-256 over ``00 ‖ leaf`` and over ``01 ‖ left ‖ right``; the left tree
has as many leaves as the largest power of two below the number of all. The hash of no leaves is that of no
bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

__all__ = ["MerkleTree", "inclusion_path", "leaf_hash", "path_root"]

_LEAF, _NODE = b"\0", b"\1"


def leaf_hash(leaf: bytes) -> bytes:
    """Return the 32-byte hash of one leaf."""
    return hashlib.sha256(_LEAF + leaf).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


class MerkleTree:
    """A tree that grows at its right end and keeps one hash per level, however many leaves it has."""

    __slots__ = ("_peaks", "size")

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._peaks: list[bytes] = []
        for one in hashes:
            self.add(one)

    def add(self, hash32: bytes) -> None:
        """Add the hash of one leaf."""
        self.size += 1
        number = self.size
        while not number & 1:
            hash32 = _node(self._peaks.pop(), hash32)
            number >>= 1
        self._peaks.append(hash32)

    def root(self) -> bytes:
        """Return the 32-byte hash of all leaves so far."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = _node(peak, root)
        return root


def inclusion_path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from a leaf to the root, lowest first (RFC 9162, 2.1.3.1)."""
    if len(hashes) == 1:
        return []
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if index < split:
        return [*inclusion_path(hashes[:split], index), MerkleTree(hashes[split:]).root()]
    return [*inclusion_path(hashes[split:], index - split), MerkleTree(hashes[:split]).root()]


def path_root(hash32: bytes, index: int, size: int, path: Iterable[bytes]) -> bytes:
    """Return the root to which a path leads from a leaf's hash (RFC 9162, 2.1.3.2).

    Raise ValueError when a tree of this size has no such leaf, or a path of another length.
    """
    place, last, root = index, size - 1, hash32
    if not 0 <= index < size:
        msg = f"a tree of {size} leaves has no leaf {index}"
        raise ValueError(msg)
    for step in path:
        if not last:
            msg = "the path is too long"
            raise ValueError(msg)
        if place & 1 or place == last:
            root = _node(step, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = _node(root, step)
        place, last = place >> 1, last >> 1
    if last:
        msg = "the path is too short"
        raise ValueError(msg)
    return root
