"""Diversification 分散: one key per city, purpose and card out of the key above it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Protocol

from citycard.keys.cipher import Algorithm, encryptor, sized

__all__ = ["Diversifier", "KeyDeriver", "blocks", "diversify"]

_FACTOR = 8
_ONES = 0xFFFFFFFFFFFFFFFF


class KeyDeriver(Protocol):
    """A key that derives others without showing itself: in memory, or in a token."""

    @property
    def algorithm(self) -> Algorithm:
        """The cipher of this key and of those derived from it."""

    def derive(self, factor8: bytes) -> bytes:
        """Return the 16-byte key of a factor of 8 bytes."""

    def derive_many(self, factors8: Sequence[bytes]) -> list[bytes]:
        """Return the keys of many factors, in their order, asking a token once."""

    def derive_blocks(self, plain: bytes) -> bytes:
        """Return the keys of the factors that ``blocks`` laid out, one after the other."""


class Diversifier:
    """A key kept ready to derive others: a microsecond per key instead of five. Threads may share it."""

    __slots__ = ("_lock", "_update", "algorithm")

    def __init__(self, key16: bytes, algorithm: Algorithm = Algorithm.TDES) -> None:
        sized("key", key16, 16)
        self.algorithm = algorithm
        # F and ~F are two blocks of 3DES or one block of AES and SM4: the same 16 bytes either way.
        self._update = encryptor(key16, algorithm).update
        # A long call leaves the interpreter, and then takes no other beside it.
        self._lock = Lock()

    def derive(self, factor8: bytes) -> bytes:
        """Return the 16-byte key of a factor of 8 bytes."""
        if len(factor8) != _FACTOR:
            sized("factor", factor8, _FACTOR)
        return self.derive_blocks(factor8 + (int.from_bytes(factor8, "big") ^ _ONES).to_bytes(8, "big"))

    def derive_many(self, factors8: Sequence[bytes]) -> list[bytes]:
        """Return the keys of many factors, in their order."""
        made = self.derive_blocks(blocks(factors8))
        return [made[place : place + 16] for place in range(0, len(made), 16)]

    def derive_blocks(self, plain: bytes) -> bytes:
        """Return the keys of the factors that ``blocks`` laid out, one after the other."""
        with self._lock:
            return self._update(plain)


def blocks(factors8: Iterable[bytes]) -> bytes:
    """Return F ‖ ~F of every factor, one after the other: what a key encrypts to derive."""
    return b"".join(
        factor + (int.from_bytes(sized("factor", factor, _FACTOR), "big") ^ _ONES).to_bytes(8, "big")
        for factor in factors8
    )


def diversify(key16: bytes, factor8: bytes, algorithm: Algorithm = Algorithm.TDES) -> bytes:
    """Derive the 16-byte key of an 8-byte factor; no parity adjustment.

    3DES: E(K, F) ‖ E(K, ~F). AES and SM4: E(K, F ‖ ~F), one block (draft JT/T, ``docs/keys.md``).
    """
    return Diversifier(key16, algorithm).derive(factor8)
