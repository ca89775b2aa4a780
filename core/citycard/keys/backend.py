"""Where keys are and what is computed with them: in memory here, in a token in ``tokenkeys``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from citycard.errors import VaultClosed
from citycard.keys.checkvalue import check_value
from citycard.keys.cipher import Algorithm, aes, sized
from citycard.keys.diversify import Diversifier, KeyDeriver
from citycard.keys.hierarchy import KeyHierarchy
from citycard.keys.sealer import AesGcmSealer, seal_factor
from citycard.keys.signing import SigningKey

__all__ = ["KeyBackend", "Sealing", "SoftKeys"]


class Sealing(Protocol):
    """Seals bytes with a key that stays where it is."""

    def seal(self, data: bytes) -> bytes:
        """Return the data sealed; the same data gives other bytes each time."""

    def open(self, sealed: bytes) -> bytes:
        """Return the data; raises ``SealBroken`` when the key is another one or a byte was changed."""


class KeyBackend(Protocol):
    """The keys under one city key, wherever they are. Which versions are honoured is not its business."""

    def require(self, algorithm: Algorithm) -> None:
        """Raise ``AlgorithmMissing`` or ``MechanismMissing`` for a cipher that cannot be done here."""

    def diversifier(self, purpose: str, version: int, algorithm: Algorithm) -> KeyDeriver:
        """Return a purpose's key, which derives the keys of cards."""

    def check_value(self, purpose: str, version: int, algorithm: Algorithm) -> bytes:
        """Return the 3-byte check value (KCV) of a purpose's key."""

    def wrapped(self, purpose: str, version: int, algorithm: Algorithm, kek: bytes) -> bytes:
        """Return a purpose's key wrapped by RFC 3394 under an AES key; it is in the clear nowhere."""

    def put(self, purpose: str, version: int, key16: bytes, algorithm: Algorithm) -> None:
        """Keep a purpose's key that came from elsewhere, in the place of the derived one."""

    def sealer(self, name: str) -> Sealing:
        """Return the sealer of a name: AES-256-GCM."""

    def sign(self, data: bytes) -> bytes:
        """Return the ECDSA P-256 signature of data, in DER."""

    def public_key_pem(self) -> str:
        """Return the public half of the signing key."""

    def close(self) -> None:
        """Wipe what can be wiped; afterwards every call raises ``VaultClosed``."""


class SoftKeys:
    """Keys in this process's memory: the city key, the keys that were imported, and the signing key."""

    def __init__(
        self,
        city_key16: bytes,
        imported: Mapping[tuple[str, int], bytes] | None = None,
        signing: SigningKey | None = None,
    ) -> None:
        self._hierarchy: KeyHierarchy | None = KeyHierarchy(city_key16)
        self._imported = {place: bytearray(key) for place, key in (imported or {}).items()}
        self._signing: SigningKey | None = signing

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def require(self, algorithm: Algorithm) -> None:
        """Raise ``AlgorithmMissing`` when the installed OpenSSL lacks the cipher."""
        self._open()
        Diversifier(bytes(16), algorithm)

    def diversifier(self, purpose: str, version: int, algorithm: Algorithm) -> Diversifier:
        """Return a purpose's key, which derives the keys of cards."""
        return Diversifier(self._key(purpose, version, algorithm), algorithm)

    def check_value(self, purpose: str, version: int, algorithm: Algorithm) -> bytes:
        """Return the 3-byte check value (KCV) of a purpose's key."""
        return check_value(self._key(purpose, version, algorithm), algorithm)

    def wrapped(self, purpose: str, version: int, algorithm: Algorithm, kek: bytes) -> bytes:
        """Return a purpose's key wrapped by RFC 3394 under an AES key."""
        return aes_key_wrap(kek, self._key(purpose, version, algorithm))

    def put(self, purpose: str, version: int, key16: bytes, algorithm: Algorithm) -> None:
        """Keep a purpose's key that came from elsewhere, in the place of the derived one."""
        self.require(algorithm)
        self._imported[purpose, version] = bytearray(sized("key", key16, 16))

    def sealer(self, name: str) -> AesGcmSealer:
        """Return the sealer of a name."""
        return AesGcmSealer(aes(self.city_key(), seal_factor(name)))

    @property
    def signs(self) -> bool:
        """Whether a signing key was made: a vault file of earlier times has none."""
        return self._signing is not None

    def draw_signing_key(self) -> None:
        """Make the signing key."""
        self._signing = SigningKey.draw()

    def sign(self, data: bytes) -> bytes:
        """Return the signature of data, in DER."""
        return self._signer().sign(data)

    def public_key_pem(self) -> str:
        """Return the public half of the signing key."""
        return self._signer().public_key_pem()

    def close(self) -> None:
        """Overwrite the city key and the imported keys, and let go of the signing key."""
        if self._hierarchy is not None:
            self._hierarchy.wipe()
        for key in self._imported.values():
            key[:] = bytes(len(key))
        self._hierarchy, self._signing = None, None

    # ── for the vault's file, and for nothing else ──

    def city_key(self) -> bytes:
        """Return the city key."""
        return self._open().city_key()

    def imported(self) -> dict[tuple[str, int], bytes]:
        """Return the imported keys by purpose and version."""
        return {place: bytes(key) for place, key in self._imported.items()}

    def signing_secret(self) -> bytes | None:
        """Return the private number of the signing key."""
        return None if self._signing is None else self._signing.secret()

    # ── inside ──

    def _key(self, purpose: str, version: int, algorithm: Algorithm) -> bytes:
        hierarchy, kept = self._open(), self._imported.get((purpose, version))
        return bytes(kept) if kept else hierarchy.purpose_key(purpose, version, algorithm)

    def _open(self) -> KeyHierarchy:
        if self._hierarchy is None:
            raise VaultClosed
        return self._hierarchy

    def _signer(self) -> SigningKey:
        self._open()
        if self._signing is None:
            self.draw_signing_key()
        assert self._signing is not None
        return self._signing
