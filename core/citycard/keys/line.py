"""Secure messaging 线路保护: how a command and its data travel protected to the card (``docs/keys.md``)."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from citycard.errors import SealedDataInvalid
from citycard.keys.cipher import Algorithm, cbc_mac, decryptor, mac16, sm4, tdes, tdes_decrypt

__all__ = ["SM4_LINE", "TDES_LINE", "LineSuite", "line_mac", "seal", "unseal"]


@attrs.frozen(kw_only=True)
class LineSuite:
    """What line protection and authentication of a card compute with.

    ``encrypt`` and ``decrypt`` take a key and whole blocks of ``block`` bytes, ECB; ``code`` takes key,
    message and start value and gives the 4-byte MAC. ``key_sizes`` are the lengths that a key may have.
    """

    name: str
    block: int
    key_sizes: tuple[int, ...]
    encrypt: Callable[[bytes, bytes], bytes]
    decrypt: Callable[[bytes, bytes], bytes]
    code: Callable[[bytes, bytes, bytes], bytes]
    experimental: bool = False


def _sm4_decrypt(key16: bytes, data: bytes) -> bytes:
    return decryptor(key16, Algorithm.SM4).update(data)


def _sm4_code(key16: bytes, message: bytes, start: bytes) -> bytes:
    return cbc_mac(key16, message, Algorithm.SM4, start)[:4]


TDES_LINE = LineSuite(name="3DES", block=8, key_sizes=(8, 16), encrypt=tdes, decrypt=tdes_decrypt, code=mac16)
SM4_LINE = LineSuite(
    name="SM4",
    block=16,
    key_sizes=(16,),
    encrypt=sm4,
    decrypt=_sm4_decrypt,
    code=_sm4_code,
    experimental=True,
)
"""SM4 in the same places: blocks of 16 bytes, CBC-MAC. **Experimental**: no published card is known."""


def line_mac(key: bytes, command: bytes, challenge: bytes, suite: LineSuite = TDES_LINE) -> bytes:
    """Return the 4-byte MAC of a command: CLA INS P1 P2 Lc data, where Lc already counts the MAC.

    ``challenge`` is the card's random of 4 or 8 bytes, filled up with zeros to a block.
    """
    return suite.code(key, command, challenge.ljust(suite.block, b"\0"))


def seal(key: bytes, data: bytes, suite: LineSuite = TDES_LINE) -> bytes:
    """Encrypt a data field, ECB: one length byte, the data, ``80 00…`` only when not aligned."""
    plain = bytes([len(data)]) + data
    if len(plain) % suite.block:
        plain += b"\x80" + bytes(-(len(plain) + 1) % suite.block)
    return suite.encrypt(key, plain)


def unseal(key: bytes, sealed: bytes, suite: LineSuite = TDES_LINE) -> bytes:
    """Decrypt what ``seal`` made; raises ``SealedDataInvalid`` when the length byte cannot be true."""
    if not sealed or len(sealed) % suite.block:
        raise SealedDataInvalid(length=len(sealed))
    plain = suite.decrypt(key, sealed)
    if not len(sealed) - suite.block - 1 < plain[0] < len(sealed):
        raise SealedDataInvalid(length=len(sealed))
    return plain[1 : 1 + plain[0]]
