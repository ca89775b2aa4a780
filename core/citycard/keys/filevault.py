"""A vault in an encrypted file: made once, opened by a passphrase, changed whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from citycard.errors import VaultDamaged
from citycard.keys.backend import SoftKeys
from citycard.keys.book import book_content, read_book
from citycard.keys.cipher import sized
from citycard.keys.hierarchy import CORE_PURPOSES, KeyHierarchy, KeyPurpose
from citycard.keys.keptvault import KeptVault
from citycard.keys.sealed import FileKey, SealedFile, new_file_key, read_sealed, unlock, write_sealed
from citycard.keys.signing import SigningKey
from citycard.keys.versions import KeyVersions

__all__ = ["FileVault"]


class FileVault(KeptVault):
    """A vault kept in one file under a passphrase (scrypt, AES-256-GCM), mode 0600.

    Several processes may hold the same file: a change is made on what the file says at that moment,
    under a lock, and ``refresh`` takes over what another process changed.
    """

    _keys: SoftKeys

    def __init__(self, path: Path, file_key: FileKey, keys: SoftKeys, versions: KeyVersions) -> None:
        super().__init__(path, keys, versions)
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
        keys = SoftKeys(hierarchy.city_key(), signing=SigningKey.draw())
        hierarchy.wipe()
        vault = cls(place, new_file_key(place, passphrase), keys, versions)
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
        self._keys.city_key()  # a closed vault is not opened again by this
        sealed = read_sealed(self.path)
        self._adopt(*_read(sealed, unlock(sealed, self._file_key)[0]))

    def sign(self, data: bytes) -> bytes:
        """Return the city's signature of data; a file of earlier times gets its signing key now."""
        self._ensure_signing_key()
        return super().sign(data)

    def public_key_pem(self) -> str:
        """Return the public key of ``sign``; a file of earlier times gets its signing key now."""
        self._ensure_signing_key()
        return super().public_key_pem()

    def _ensure_signing_key(self) -> None:
        if not self._keys.signs:
            # Another process may have drawn one meanwhile: the change looks again, under the lock.
            self._change(lambda: None if self._keys.signs else self._keys.draw_signing_key())

    def _write(self, *, replace: bool) -> None:
        signing = self._keys.signing_secret()
        content: dict[str, Any] = {
            "city_key": self._keys.city_key().hex(),
            "imported": [[*place, key.hex()] for place, key in self._keys.imported().items()],
            "signing": None if signing is None else signing.hex(),
            **book_content(self._book),
        }
        write_sealed(self.path, json.dumps(content).encode(), self._file_key, replace=replace)


def _read(sealed: SealedFile, payload: bytes) -> tuple[SoftKeys, KeyVersions]:
    try:
        content = json.loads(payload)
        imported = {
            (purpose, version): bytes.fromhex(key) for purpose, version, key in content.get("imported", ())
        }
        secret = content.get("signing")
        signing = SigningKey.from_secret(bytes.fromhex(secret)) if secret else None
        return SoftKeys(bytes.fromhex(content["city_key"]), imported, signing), read_book(content)
    except (KeyError, TypeError, ValueError):
        # Authentic but not understood: a newer citycard wrote it. The content holds keys: it is not told.
        raise VaultDamaged(path=sealed.path, reason="its content is of an unknown version") from None
