"""Sealing with a key that stays in the vault: AES-256-GCM, the nonce before the ciphertext."""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from citycard.errors import SealBroken

__all__ = ["NONCE", "AesGcmSealer", "seal_factor"]

NONCE = 12


class AesGcmSealer:
    """Seal with AES-256-GCM under a key of 32 bytes; the nonce stands before the ciphertext."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, data: bytes) -> bytes:
        """Return nonce, ciphertext and tag."""
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, data, None)

    def open(self, sealed: bytes) -> bytes:
        """Return the data; raise SealBroken when the key is another one or a byte was changed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise SealBroken(field="data", key="sealed bytes") from error


def seal_factor(name: str) -> bytes:
    """Return the 32 bytes that the city key encrypts (AES) into the sealing key of a name.

    Both blocks begin with 00, where a purpose has its version, 1 to 255: no purpose key is a half of one.
    """
    digest = hashlib.sha256(b"seal " + name.encode()).digest()
    return b"\0" + digest[:15] + b"\0" + digest[15:30]
