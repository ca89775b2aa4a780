"""A vault in an encrypted file: made once, opened by a passphrase, changed whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs

from citycard.errors import VaultDamaged
from citycard.keys.cipher import Algorithm, sized
from citycard.keys.hierarchy import CORE_PURPOSES, KeyHierarchy, KeyPurpose
from citycard.keys.sealed import FileKey, SealedFile, new_file_key, read_sealed, unlock, write_sealed
from citycard.keys.vault import Vault
from citycard.keys.versions import KeyStatus, KeyVersion, KeyVersions

__all__ = ["FileVault"]

_Change = TypeVar("_Change")


class FileVault(Vault):
    """A vault kept in one file under a passphrase (scrypt, AES-256-GCM), mode 0600.

    Several processes may hold the same file: a change is made on what the file says at that moment,
    under a lock, and ``refresh`` takes over what another process changed.
    """

    def __init__(self, path: Path, file_key: FileKey, city_key16: bytes, versions: KeyVersions) -> None:
        super().__init__(city_key16, versions)
        self.path = path
        self._file_key = file_key

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        passphrase: str,
        city_factor: bytes,
        *,
        root: bytes | None = None,
        purposes: Iterable[KeyPurpose] = CORE_PURPOSES,
    ) -> FileVault:
        """Make a city's vault: version 1 of every purpose. Raises ``VaultExists`` for an existing file.

        ``city_factor`` has 8 bytes. The 16-byte ``root`` of a key ceremony is used once and not kept;
        without one a fresh root is drawn and forgotten.
        """
        place = Path(path)
        sized("city factor", city_factor, 8)
        versions = KeyVersions()
        versions.ensure(purposes)
        hierarchy = KeyHierarchy.from_root(root or secrets.token_bytes(16), city_factor)
        vault = cls(place, new_file_key(place, passphrase), hierarchy.city_key(), versions)
        hierarchy.wipe()
        vault._write(replace=False)
        return vault

    @classmethod
    def open(cls, path: str | os.PathLike[str], passphrase: str) -> FileVault:
        """Open a vault; raises ``VaultMissing``, ``VaultDamaged`` or ``PassphraseWrong``."""
        sealed = read_sealed(Path(path))
        payload, file_key = unlock(sealed, passphrase)
        return cls(sealed.path, file_key, *_read(sealed, payload))

    def close(self) -> None:
        """Wipe the city key and the file's key from memory."""
        self._file_key.wipe()
        super().close()

    def refresh(self) -> None:
        """Take over the versions that another process wrote."""
        self._open()
        sealed = read_sealed(self.path)
        city_key, versions = _read(sealed, unlock(sealed, self._file_key)[0])
        self._adopt(KeyHierarchy(city_key, versions.purposes.values()), versions)

    def ensure_purposes(self, purposes: Iterable[KeyPurpose]) -> None:
        """Add purposes not yet known and write the file; nothing is written when all are known."""
        wanted = list(purposes)
        if all(purpose.name in self._book.purposes for purpose in wanted):
            super().ensure_purposes(wanted)
        else:
            self._change(lambda: super(FileVault, self).ensure_purposes(wanted))

    def roll(self, purpose: str, algorithm: Algorithm | None = None) -> list[KeyVersion]:
        """Make a new current version of a purpose and its family, and write the file."""
        return self._change(lambda: super(FileVault, self).roll(purpose, algorithm))

    def retire(self, purpose: str, version: int) -> list[KeyVersion]:
        """Stop honouring an old version, and write the file."""
        return self._change(lambda: super(FileVault, self).retire(purpose, version))

    def _change(self, change: Callable[[], _Change]) -> _Change:
        with _locked(self.path):
            self.refresh()
            answer = change()
            try:
                self._write(replace=True)
            except OSError:
                # A full disk must not leave this process with versions that no file has.
                self.refresh()
                raise
            return answer

    def _write(self, *, replace: bool) -> None:
        content: dict[str, Any] = {
            "city_key": self._open().city_key().hex(),
            "purposes": [attrs.asdict(purpose) for purpose in self.purposes()],
            "versions": [{**attrs.asdict(row), "status": row.status.value} for row in self.versions()],
        }
        write_sealed(self.path, json.dumps(content).encode(), self._file_key, replace=replace)


def _read(sealed: SealedFile, payload: bytes) -> tuple[bytes, KeyVersions]:
    try:
        content = json.loads(payload)
        purposes = [
            KeyPurpose(**{**row, "algorithm": Algorithm(row["algorithm"])}) for row in content["purposes"]
        ]
        versions = [
            KeyVersion(
                **{**row, "status": KeyStatus(row["status"]), "algorithm": Algorithm(row["algorithm"])}
            )
            for row in content["versions"]
        ]
        return bytes.fromhex(content["city_key"]), KeyVersions(purposes, versions)
    except (KeyError, TypeError, ValueError):
        # Authentic but not understood: a newer citycard wrote it. The content holds keys: it is not told.
        raise VaultDamaged(path=sealed.path, reason="its content is of an unknown version") from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
