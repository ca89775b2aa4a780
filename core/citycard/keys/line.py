"""Secure messaging 线路保护: how a command and its data travel protected to the card (``docs/keys.md``)."""

from __future__ import annotations

from citycard.errors import SealedDataInvalid
from citycard.keys.cipher import mac16, tdes, tdes_decrypt

__all__ = ["line_mac", "seal", "unseal"]


def line_mac(key: bytes, command: bytes, challenge: bytes) -> bytes:
    """Return the 4-byte MAC of a command: CLA INS P1 P2 Lc data, where Lc already counts the MAC.

    ``challenge`` is the card's random of 4 bytes (filled up with zeros) or 8 bytes.
    """
    return mac16(key, command, challenge.ljust(8, b"\0"))


def seal(key: bytes, data: bytes) -> bytes:
    """Encrypt a data field: one length byte, the data, ``80 00…`` only when not aligned; DES or 3DES, ECB."""
    plain = bytes([len(data)]) + data
    if len(plain) % 8:
        plain += b"\x80" + bytes(-(len(plain) + 1) % 8)
    return tdes(key, plain)


def unseal(key: bytes, sealed: bytes) -> bytes:
    """Decrypt what ``seal`` made; raises ``SealedDataInvalid`` when the length byte cannot be true."""
    if not sealed or len(sealed) % 8:
        raise SealedDataInvalid(length=len(sealed))
    plain = tdes_decrypt(key, sealed)
    if not len(sealed) - 9 < plain[0] < len(sealed):
        raise SealedDataInvalid(length=len(sealed))
    return plain[1 : 1 + plain[0]]
