"""The city's vault, and those of hierarchies of their own: made and opened as ``[vault]`` says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from citycard.city.config import CityConfig, VaultPlace
from citycard.city.secrets import new_passphrase, passphrase, pin
from citycard.errors import KeyHierarchyMissing, KeyHierarchyShared

if TYPE_CHECKING:
    from citycard.keys import KeyPurpose
    from citycard.keys.keptvault import KeptVault

__all__ = [
    "create_vault",
    "ensure_declared",
    "hierarchy_purposes",
    "open_hierarchy",
    "open_vault",
    "vault_path",
]


def _place(config: CityConfig, hierarchy: str) -> VaultPlace:
    return config.vault.hierarchies.get(hierarchy, config.vault) if hierarchy else config.vault


def vault_path(folder: Path, config: CityConfig, hierarchy: str = "") -> Path:
    """Return the vault's file: ``vault.bin`` holds the keys, ``vault.json`` only names those in a token."""
    name = f"vault-{hierarchy}" if hierarchy else "vault"
    return folder / f"{name}.{'bin' if _place(config, hierarchy).kind == 'file' else 'json'}"


def create_vault(
    folder: Path,
    config: CityConfig,
    *,
    hierarchy: str = "",
    root: bytes | None = None,
    purposes: Iterable[KeyPurpose] | None = None,
) -> KeptVault:
    """Make the vault of a city, or of a hierarchy with its own root; ``root`` comes from a key ceremony."""
    from citycard.keys import CORE_PURPOSES, FileVault, Pkcs11Vault

    place, path = _place(config, hierarchy), vault_path(folder, config, hierarchy)
    factor = bytes.fromhex(config.city.issuer)
    wanted = CORE_PURPOSES if purposes is None else tuple(purposes)
    if place.kind == "file":
        words = new_passphrase(folder, hierarchy)
        return FileVault.create(path, words, factor, root=root, purposes=wanted)
    return Pkcs11Vault.create(
        path,
        place.module,
        place.token,
        pin(folder, place.pin_file, hierarchy),
        factor,
        root=root,
        purposes=wanted,
        hierarchy=hierarchy or "city",
    )


def open_vault(folder: Path, config: CityConfig, hierarchy: str = "") -> KeptVault:
    """Open the vault of a city, or of a hierarchy."""
    from citycard.keys import FileVault, Pkcs11Vault

    place, path = _place(config, hierarchy), vault_path(folder, config, hierarchy)
    if place.kind == "file":
        return FileVault.open(path, passphrase(folder, hierarchy))
    secret = pin(folder, place.pin_file, hierarchy)
    return Pkcs11Vault.open(path, place.module, place.token, secret, hierarchy=hierarchy or "city")


def hierarchy_purposes(declared: Iterable[KeyPurpose], hierarchy: str) -> list[KeyPurpose]:
    """Return the purposes of one hierarchy; raise KeyHierarchyShared when two plugins want to be in it."""
    found = [purpose for purpose in declared if purpose.hierarchy == hierarchy]
    owners = sorted({purpose.owner for purpose in found})
    if hierarchy and len(owners) > 1:
        raise KeyHierarchyShared(hierarchy=hierarchy, owners=", ".join(owners))
    return found


def ensure_declared(vault: KeptVault, declared: Iterable[KeyPurpose]) -> None:
    """Give the city's vault a key for every purpose of the core, and of plugins under the city's root."""
    from citycard.keys import CORE_PURPOSES

    vault.ensure_purposes([*CORE_PURPOSES, *hierarchy_purposes(declared, "")])


def open_hierarchy(
    folder: Path, config: CityConfig, hierarchy: str, declared: Iterable[KeyPurpose]
) -> KeptVault:
    """Open a hierarchy's vault with a key for each purpose declared in it; raise KeyHierarchyMissing."""
    purposes = hierarchy_purposes(declared, hierarchy)
    if not vault_path(folder, config, hierarchy).exists():
        raise KeyHierarchyMissing(hierarchy=hierarchy, folder=folder)
    vault = open_vault(folder, config, hierarchy)
    vault.ensure_purposes(purposes)
    return vault
