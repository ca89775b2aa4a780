"""The keys that sign the ledger's seals: Ed25519, drawn from the vault's purpose ``seal`` in each version.

A version's private key is two keys that the purpose derives, side by side: the vault gives the same in a file
and in a token, and nothing has to be stored. Ed25519 signs the same bytes always in the same way.
"""

from __future__ import annotations

import hashlib

import attrs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from citycard.errors import SealKeyInvalid
from citycard.keys.diversify import KeyDeriver

__all__ = ["SEAL_PURPOSE", "SealKey", "SealSigner"]

SEAL_PURPOSE = "seal"
_FACTORS = (b"\0seal-k1", b"\0seal-k2")


@attrs.frozen(kw_only=True)
class SealKey:
    """A public key of seals. ``honoured`` says whether the vault still signs or trusts new seals with it."""

    version: int
    public32: bytes
    honoured: bool = True

    @property
    def id(self) -> str:
        """The name of the key in seals: its version, and the first 8 bytes of its SHA-256."""
        return f"{SEAL_PURPOSE}/{self.version}/{hashlib.sha256(self.public32).hexdigest()[:16]}"

    @property
    def pem(self) -> str:
        """The key as anybody may have it, in PEM."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._public().public_bytes(serialization.Encoding.PEM, form).decode()

    @classmethod
    def from_pem(cls, pem: str, version: int = 1) -> SealKey:
        """Read a public key, whose version PEM does not tell; raise SealKeyInvalid for all but Ed25519."""
        try:
            key = serialization.load_pem_public_key(pem.encode())
        except ValueError:
            raise SealKeyInvalid(reason="it is no public key in PEM") from None
        if not isinstance(key, Ed25519PublicKey):
            raise SealKeyInvalid(reason="it is not Ed25519")
        return cls(version=version, public32=key.public_bytes_raw())

    @classmethod
    def versions_of(cls, pem: str) -> list[SealKey]:
        """Read a public key as whichever version it may be; raise SealKeyInvalid for all but Ed25519."""
        return [cls.from_pem(pem, version) for version in range(1, 256)]

    def signed(self, data: bytes, signature64: bytes) -> bool:
        """Say whether this key signed the data."""
        try:
            self._public().verify(signature64, data)
        except InvalidSignature:
            return False
        return True

    def _public(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.public32)


class SealSigner:
    """One version's private key, for as long as something is signed; it shows only its public half."""

    __slots__ = ("_private", "key")

    def __init__(self, deriver: KeyDeriver, version: int, *, honoured: bool = True) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(b"".join(deriver.derive_many(_FACTORS)))
        public32 = self._private.public_key().public_bytes_raw()
        self.key = SealKey(version=version, public32=public32, honoured=honoured)

    def __repr__(self) -> str:
        return f"<SealSigner {self.key.id}>"

    def sign(self, data: bytes) -> bytes:
        """Return the signature of data, 64 bytes; the same data gives the same signature."""
        return self._private.sign(data)
