"""Keys of a city and its cards: from the city key down to one card's MAC.

- ``cipher``: 3DES, AES, SM4 and their MACs. ``diversify``: one key out of another.
- ``suite``: what a purse computes with, per algorithm. ``purse``: session keys, MACs and TACs of load and
  purchase. ``line``: secure messaging of file commands.
- ``hierarchy``: root → city → purpose → card. ``versions``: waiting, current, accepted, retired; ``book``
  writes them down.
- ``backend``: where the keys are, in memory or in a token, and what is computed there; ``signing`` and
  ``sealer`` belong to it. ``sealkey``: what signs the ledger's seals.
- ``records``: the keys of a card and of a SAM. ``vault``: what may be asked of the keys.
- ``columnvault``: what may be asked for millions of records; ``checks`` answers it. ``bulk``: their TACs
  and MACs, out of ``columns`` and ``purchases``; 3DES by ``bitsliced`` over ``lanes``, with the circuits of
  ``sboxes``, which ``minimise`` found; AES and SM4 by ``tabled``.
- ``keptvault``: a vault whose versions a file keeps. ``filevault``: the keys too, in an encrypted file, whose
  bytes are in ``sealed``. ``pkcs11vault``: the keys in a token, by ``token``, ``tokenobjects`` and
  ``tokenkeys``.

See ``docs/keys.md``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# At once: this module has the name of a function that is in it, and would be found in its stead.
from citycard.keys.diversify import Diversifier, diversify

if TYPE_CHECKING:
    from citycard.keys.backend import SoftKeys
    from citycard.keys.checkvalue import check_value
    from citycard.keys.cipher import Algorithm
    from citycard.keys.filevault import FileVault
    from citycard.keys.hierarchy import CORE_PURPOSES, KeyHierarchy, KeyPurpose
    from citycard.keys.pkcs11vault import Pkcs11Vault
    from citycard.keys.purse import TTI_CAPP, TTI_LOAD_EP, TTI_PURCHASE_EP
    from citycard.keys.records import CardKeys, SamKeys
    from citycard.keys.sealkey import SealKey, SealSigner
    from citycard.keys.signing import verify_signature
    from citycard.keys.vault import Vault
    from citycard.keys.versions import KeyStatus, KeyVersion

__all__ = [
    "CORE_PURPOSES",
    "TTI_CAPP",
    "TTI_LOAD_EP",
    "TTI_PURCHASE_EP",
    "Algorithm",
    "CardKeys",
    "Diversifier",
    "FileVault",
    "KeyHierarchy",
    "KeyPurpose",
    "KeyStatus",
    "KeyVersion",
    "Pkcs11Vault",
    "SamKeys",
    "SealKey",
    "SealSigner",
    "SoftKeys",
    "Vault",
    "check_value",
    "diversify",
    "verify_signature",
]

_MODULES = {
    "backend": ("SoftKeys",),
    "checkvalue": ("check_value",),
    "cipher": ("Algorithm",),
    "filevault": ("FileVault",),
    "hierarchy": (
        "CORE_PURPOSES",
        "KeyHierarchy",
        "KeyPurpose",
    ),
    "pkcs11vault": ("Pkcs11Vault",),
    "purse": (
        "TTI_CAPP",
        "TTI_LOAD_EP",
        "TTI_PURCHASE_EP",
    ),
    "records": (
        "CardKeys",
        "SamKeys",
    ),
    "sealkey": (
        "SealKey",
        "SealSigner",
    ),
    "signing": ("verify_signature",),
    "vault": ("Vault",),
    "versions": (
        "KeyStatus",
        "KeyVersion",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # A plugin that declares what a key is for must not bring vaults and tokens along.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
