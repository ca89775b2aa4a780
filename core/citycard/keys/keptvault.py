"""A vault whose versions are kept in a file, so that several processes share them and none is half made."""

from __future__ import annotations

import fcntl
import os
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from citycard.errors import CitycardError
from citycard.keys.backend import KeyBackend
from citycard.keys.cipher import Algorithm
from citycard.keys.hierarchy import KeyPurpose
from citycard.keys.vault import Vault
from citycard.keys.versions import KeyVersion, KeyVersions

__all__ = ["KeptVault", "locked"]

_Change = TypeVar("_Change")


class KeptVault(Vault):
    """A vault with a file: each change is made on what the file says at that moment, under a lock.

    ``refresh`` takes over what another process changed.
    """

    def __init__(self, path: Path, keys: KeyBackend, versions: KeyVersions) -> None:
        super().__init__(keys, versions)
        self.path = path

    @abstractmethod
    def refresh(self) -> None:
        """Take over what another process wrote."""

    @abstractmethod
    def _write(self, *, replace: bool) -> None:
        """Write the file, whole or not at all."""

    def ensure_purposes(self, purposes: Iterable[KeyPurpose]) -> None:
        """Add purposes not yet known and write the file; nothing is written when all are known."""
        wanted = list(purposes)
        if all(purpose.name in self._book.purposes for purpose in wanted):
            super().ensure_purposes(wanted)
        else:
            self._change(lambda: super(KeptVault, self).ensure_purposes(wanted))

    def roll(self, purpose: str, algorithm: Algorithm | None = None) -> list[KeyVersion]:
        """Make a new current version of a purpose and its family, and write the file."""
        return self._change(lambda: super(KeptVault, self).roll(purpose, algorithm))

    def retire(self, purpose: str, version: int, *, test: bool = False) -> list[KeyVersion]:
        """Stop honouring an old version, or a test key, and write the file."""
        return self._change(lambda: super(KeptVault, self).retire(purpose, version, test=test))

    def put(self, purpose: str, key16: bytes, algorithm: Algorithm = Algorithm.TDES) -> KeyVersion:
        """Keep a purpose's key that came from elsewhere, and write the file; the version waits for a roll."""
        return self._change(lambda: super(KeptVault, self).put(purpose, key16, algorithm))

    def _change(self, change: Callable[[], _Change]) -> _Change:
        with locked(self.path):
            self.refresh()
            before = self._book.copy()
            try:
                answer = change()
                self._write(replace=True)
            except BaseException:
                # A full disk, or a token that is gone, must not leave versions here that no file has.
                self._adopt(self._keys, before)
                with suppress(CitycardError, OSError):
                    self.refresh()
                raise
            return answer


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from changing a vault's file; do not take it twice."""
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
