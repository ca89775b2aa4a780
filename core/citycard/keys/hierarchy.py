"""Root → city → purpose → card: which key comes out of which, and by what factor (``docs/keys.md``)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

import attrs

from citycard.errors import KeyPurposeInvalid, KeyPurposeUnknown
from citycard.keys.cipher import Algorithm, sized
from citycard.keys.diversify import Diversifier, diversify

__all__ = ["CORE_PURPOSES", "KeyHierarchy", "KeyPurpose", "purpose_factor"]

_NAME = re.compile(r"(?=.{1,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*")
_KINDS: Final = range(0x100)
_VERSIONS: Final = range(1, 0x100)


@attrs.frozen(kw_only=True)
class KeyPurpose:
    """What a key is for: its name in the vault, its kind on the card, and who declared it.

    ``kind`` is the card's key kind byte (FMCOS numbers: 3E purchase, 3F load, 34 TAC, 36 maintenance…).
    Purposes of one ``family`` roll over together, because a card reports one version for all of them.
    ``hierarchy`` names the root above the key: the city's when left out, else one of the owner's own.
    """

    name: str
    kind: int
    title: str
    owner: str = "citycard"
    algorithm: Algorithm = Algorithm.TDES
    hierarchy: str = ""
    family: str = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))

    def __attrs_post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            self._refuse("name", self.name, "small letters, digits and hyphens, at most 40")
        if self.hierarchy and not (_NAME.fullmatch(self.hierarchy) and self.hierarchy != "city"):
            self._refuse("hierarchy", self.hierarchy, "a name like that of a purpose, and not city")
        if self.kind not in _KINDS:
            self._refuse("kind", self.kind, "a byte, 0 to 255")

    def _refuse(self, field: str, value: object, expected: str) -> None:
        raise KeyPurposeInvalid(name=self.name, field=field, value=value, expected=expected)


CORE_PURPOSES: Final = (
    KeyPurpose(name="purchase", kind=0x3E, title="Purchase key DPK", family="purse"),
    KeyPurpose(name="load", kind=0x3F, title="Load key DLK", family="purse"),
    KeyPurpose(name="tac", kind=0x34, title="TAC key DTK", family="purse"),
    KeyPurpose(name="maintenance", kind=0x36, title="Application maintenance key DAMK"),
    KeyPurpose(name="authentication", kind=0x39, title="External authentication key, the card's master"),
    KeyPurpose(name="internal", kind=0x30, title="Internal authentication key"),
    KeyPurpose(name="pin-unblock", kind=0x37, title="PIN unblock key DPUK"),
    KeyPurpose(name="pin-reload", kind=0x38, title="PIN reload key DRPK"),
    KeyPurpose(name="batch", kind=0x00, title="Terminal record and batch key", algorithm=Algorithm.AES),
    KeyPurpose(name="seal", kind=0x00, title="Key that signs the ledger's seals", algorithm=Algorithm.AES),
)


def purpose_factor(name: str, version: int) -> bytes:
    """Return the 8-byte factor of a purpose: the version, then 7 bytes of the name's SHA-256."""
    if version not in _VERSIONS:
        raise KeyPurposeInvalid(name=name, field="version", value=version, expected="1 to 255")
    return bytes([version]) + hashlib.sha256(name.encode()).digest()[:7]


class KeyHierarchy:
    """The keys under one city key, derived when asked for. It shows none of them.

    ``from_root`` takes the root of a key ceremony, which is used once and not kept.
    """

    __slots__ = ("_city", "_purposes")

    def __init__(self, city_key16: bytes, purposes: Iterable[KeyPurpose] = CORE_PURPOSES) -> None:
        self._city = bytearray(sized("city key", city_key16, 16))
        self._purposes = {purpose.name: purpose for purpose in purposes}

    @classmethod
    def from_root(
        cls, root16: bytes, city_factor8: bytes, purposes: Iterable[KeyPurpose] = CORE_PURPOSES
    ) -> KeyHierarchy:
        """Derive the city key from the root by 3DES and keep only the city key."""
        return cls(diversify(root16, city_factor8), purposes)

    def purpose_key(self, name: str, version: int, algorithm: Algorithm | None = None) -> bytes:
        """Return the 16-byte key of a purpose in a version, by the purpose's own algorithm unless given."""
        chosen = self._purpose(name).algorithm if algorithm is None else algorithm
        return diversify(bytes(self._city), purpose_factor(name, version), chosen)

    def diversifier(self, name: str, version: int, algorithm: Algorithm | None = None) -> Diversifier:
        """Return a purpose's key ready to derive the keys of many cards."""
        chosen = self._purpose(name).algorithm if algorithm is None else algorithm
        return Diversifier(self.purpose_key(name, version, chosen), chosen)

    def card_key(self, name: str, version: int, asn8: bytes) -> bytes:
        """Return the 16-byte key of one card: the last 8 bytes of its serial number are the factor."""
        return self.diversifier(name, version).derive(asn8)

    def city_key(self) -> bytes:
        """Return the city key, for the vault's file and for nothing else."""
        return bytes(self._city)

    def wipe(self) -> None:
        """Overwrite the city key in memory."""
        self._city[:] = bytes(16)

    def _purpose(self, name: str) -> KeyPurpose:
        try:
            return self._purposes[name]
        except KeyError:
            raise KeyPurposeUnknown(name=name, known=", ".join(sorted(self._purposes))) from None
