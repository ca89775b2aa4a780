"""A vault whose keys are in a PKCS#11 token, and whose versions are in a small file beside the city.

The file holds no key. A MAC made in the token guards it, so that nobody brings a retired version back by
an editor, and the token remembers the number of the newest file, so that nobody does it by an old copy.
Keys are written first and the file after them: what a crash leaves in the token is named by no file, and
the next try replaces it. The number is confirmed last: a file newer than that is as good.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from hmac import compare_digest
from pathlib import Path
from typing import Any

from citycard.errors import VaultDamaged, VaultExists, VaultMissing, VaultOutdated
from citycard.keys.book import book_content, read_book
from citycard.keys.cipher import sized
from citycard.keys.hierarchy import CORE_PURPOSES, KeyHierarchy, KeyPurpose
from citycard.keys.keptvault import KeptVault, locked
from citycard.keys.sealed import write_private
from citycard.keys.token import Token, open_token
from citycard.keys.tokenkeys import TokenKeys
from citycard.keys.versions import KeyVersions

__all__ = ["Pkcs11Vault"]

_FORMAT = "citycard-token-vault-1"


class Pkcs11Vault(KeptVault):
    """A vault in a token. It gives the keys, MACs and TACs that a ``FileVault`` of the same root gives."""

    _keys: TokenKeys

    def __init__(
        self,
        path: Path,
        token: Token,
        hierarchy: str,
        keys: TokenKeys,
        versions: KeyVersions,
        number: int = 0,
    ) -> None:
        super().__init__(path, keys, versions)
        self._token = token
        self._hierarchy = hierarchy
        self._number = number

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        module: str | os.PathLike[str],
        token: str,
        pin: str,
        city_factor: bytes,
        *,
        root: bytes | None = None,
        purposes: Iterable[KeyPurpose] = CORE_PURPOSES,
        hierarchy: str = "city",
    ) -> Pkcs11Vault:
        """Make a vault in the token labelled ``token``: version 1 of every purpose.

        ``city_factor`` has 8 bytes. The 16-byte ``root`` of a key ceremony, or a drawn one, is used once and
        not kept. May be interrupted and called again. Raises ``VaultExists``, ``TokenOccupied`` and what
        ``open_token`` raises.
        """
        place, making = Path(path), Path(f"{os.fspath(path)}.making")
        sized("city factor", city_factor, 8)
        if place.exists():
            raise VaultExists(path=place)
        versions = KeyVersions()
        versions.ensure(purposes)
        opened = open_token(module, token, pin)
        try:
            # The mark says that what the token holds without a file is ours to replace, and no lost city's:
            # those were confirmed once.
            there = TokenKeys(opened, hierarchy)
            if not making.exists() or there.confirmed():
                there.require_free()
                write_private(making, b"", replace=True)
            made = KeyHierarchy.from_root(root or secrets.token_bytes(16), city_factor)
            keys = TokenKeys.create(opened, hierarchy, made.city_key())
            made.wipe()
        except BaseException:
            opened.close()
            raise
        vault = cls(place, opened, hierarchy, keys, versions)
        vault._write(replace=False)
        with suppress(FileNotFoundError):
            making.unlink()
        return vault

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        module: str | os.PathLike[str],
        token: str,
        pin: str,
        *,
        hierarchy: str = "city",
    ) -> Pkcs11Vault:
        """Open a vault.

        Raises ``VaultMissing``, ``VaultDamaged``, ``VaultOutdated`` and what ``open_token`` raises.
        """
        place = Path(path)
        if not place.exists():
            raise VaultMissing(path=place)
        opened = open_token(module, token, pin)
        try:
            keys, versions, number, confirmed = _read(place, opened, hierarchy)
            if number > confirmed:
                # Its change was interrupted, or is being made at this moment, which the lock waits for.
                with locked(place):
                    keys, versions, number, confirmed = _read(place, opened, hierarchy)
                    keys.confirm(number)
        except BaseException:
            opened.close()
            raise
        return cls(place, opened, hierarchy, keys, versions, number)

    def refresh(self) -> None:
        """Take over the versions that another process wrote."""
        self._keys.book_mac(b"")  # a closed vault is not opened again by this
        self._token.forget()
        keys, versions, self._number, _ = _read(self.path, self._token, self._hierarchy)
        self._adopt(keys, versions)

    def _write(self, *, replace: bool) -> None:
        content = {
            "format": _FORMAT,
            "hierarchy": self._hierarchy,
            "number": self._number + 1,
            "imported": sorted(self._keys.imported_places),
            **book_content(self._book),
        }
        told = {**content, "mac": self._keys.book_mac(_canonical(content)).hex()}
        write_private(self.path, json.dumps(told, indent=1).encode() + b"\n", replace=replace)
        self._number += 1
        self._keys.confirm(self._number)


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _read(path: Path, token: Token, hierarchy: str) -> tuple[TokenKeys, KeyVersions, int, int]:
    """Return keys, versions, the file's number, and the newest number that the token confirmed before."""
    # Asked before the file is read: a change meanwhile makes the file newer, never older.
    confirmed = TokenKeys(token, hierarchy).confirmed()
    try:
        content = json.loads(path.read_bytes())
        mac = bytes.fromhex(content.pop("mac"))
        imported = [(str(purpose), int(version)) for purpose, version in content["imported"]]
        if (content["format"], content["hierarchy"]) != (_FORMAT, hierarchy):
            raise VaultDamaged(path=path, reason=f"it is not the token vault of {hierarchy!r}")
        keys, versions = TokenKeys(token, hierarchy, imported), read_book(content)
        number = int(content.get("number", 0))
    except FileNotFoundError:
        raise VaultMissing(path=path) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise VaultDamaged(path=path, reason="its content is not that of a token vault") from None
    if not compare_digest(keys.book_mac(_canonical(content)), mac):
        raise VaultDamaged(path=path, reason="the token does not confirm it")
    if number < confirmed:
        raise VaultOutdated(path=path, number=number, confirmed=confirmed, label=token.label)
    return keys, versions, number, confirmed
