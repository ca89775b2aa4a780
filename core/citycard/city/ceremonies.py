"""What the key of a ceremony is for: a city's root, a hierarchy's root, or the key of a purpose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from citycard.city.city import City
from citycard.city.config import CONFIG_NAME, read_config
from citycard.city.vaults import open_vault, vault_path
from citycard.errors import VaultExists

if TYPE_CHECKING:
    from citycard.keys.ceremony import Ceremony

__all__ = ["use_key"]


def use_key(folder: Path, ceremony: Ceremony, key: bytes) -> str:
    """Make the vault under a root, or bring a purpose's key into the vault; return what was done.

    Called again with the same key it does nothing more. Raises ``VaultExists`` for a vault of another root.
    """
    name = ceremony.hierarchy or "the city"
    if ceremony.subject == "root":
        _make(folder, ceremony, key)
        return f"made the vault of {name}"
    city = City.open(folder)
    try:
        vault = city.hierarchy(ceremony.hierarchy) if ceremony.hierarchy else city.vault
        kept = vault.put(ceremony.subject, key, ceremony.algorithm)
    finally:
        city.close()
    return f"brought {kept.purpose} version {kept.version} of {name}, which waits for its roll-over"


def _make(folder: Path, ceremony: Ceremony, root: bytes) -> None:
    config = read_config(folder)
    path = vault_path(folder, config, ceremony.hierarchy)
    if path.exists():
        _require_same(folder, ceremony, root)
    elif ceremony.hierarchy:
        city = City.open(folder)
        try:
            city.create_hierarchy(ceremony.hierarchy, root=root)
        finally:
            city.close()
    else:
        City.create(folder, folder / CONFIG_NAME, root=root).close()


def _require_same(folder: Path, ceremony: Ceremony, root: bytes) -> None:
    """Raise VaultExists unless the vault that is there was made under this root: an interrupted finish."""
    from citycard.keys import KeyHierarchy, check_value

    config = read_config(folder)
    vault = open_vault(folder, config, ceremony.hierarchy)
    made = KeyHierarchy.from_root(root, bytes.fromhex(config.city.issuer), vault.purposes())
    same = all(
        check_value(made.purpose_key(one.name, 1), one.algorithm) == vault.check_value(one.name, 1)
        for one in vault.purposes()
    )
    made.wipe()
    vault.close()
    if not same:
        raise VaultExists(path=vault_path(folder, config, ceremony.hierarchy))
