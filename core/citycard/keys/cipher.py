"""The block ciphers and message authentication codes of cards: 3DES, AES, SM4, retail MAC, CMAC."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from citycard.errors import AlgorithmMissing, CipherInputInvalid

__all__ = [
    "Algorithm",
    "aes",
    "aes_cmac",
    "cbc_mac",
    "decryptor",
    "des_cbc_mac",
    "encryptor",
    "mac8",
    "mac16",
    "pad",
    "retail_mac",
    "sized",
    "sm4",
    "tdes",
    "tdes_decrypt",
    "xor_halves",
]

# One block at a time is what cards do: purse keys never encrypt text under ECB.
_ECB = modes.ECB()  # noqa: S305 - the card's own mode
_DES, _KEY = 8, 16
_ZERO = bytes(8)
_ZERO_CBC = modes.CBC(_ZERO)
_PADS = tuple(b"\x80" + bytes(count) for count in range(16))


class Algorithm(IntEnum):
    """The cipher of a purse key. The number stands in records; ``00`` is PBOC's byte for 3DES.

    Cards also report ``01`` while using 3DES (a common chip only echoes the byte), so choose by the key
    version of the vault, never by the byte alone. The numbers of AES and SM4 are this project's own.
    """

    TDES = 0x00
    AES = 0x02
    SM4 = 0x04


def encryptor(key: bytes, algorithm: Algorithm = Algorithm.TDES) -> CipherContext:
    """Make an ECB encryptor to keep for a long-lived key: ``update`` takes whole blocks, again and again.

    A 3DES key has 8 bytes (single DES) or 16 (two keys); AES and SM4 keys have 16. Raises
    ``AlgorithmMissing`` where the installed OpenSSL was built without the cipher (some lack SM4).
    """
    try:
        return Cipher(_cipher(key, algorithm), _ECB).encryptor()
    except UnsupportedAlgorithm:
        raise AlgorithmMissing(algorithm=algorithm.name) from None


def decryptor(key: bytes, algorithm: Algorithm = Algorithm.TDES) -> CipherContext:
    """Make an ECB decryptor, otherwise as ``encryptor``."""
    return Cipher(_cipher(key, algorithm), _ECB).decryptor()


def _cipher(key: bytes, algorithm: Algorithm) -> Any:
    if algorithm == Algorithm.TDES:
        return _tdes_key(key)
    sized("key", key, _KEY)
    return algorithms.AES(key) if algorithm == Algorithm.AES else algorithms.SM4(key)


def _tdes_key(key: bytes) -> TripleDES:
    # K1|K2|K1 is two-key 3DES, and K|K|K is single DES.
    if len(key) == _KEY:
        return TripleDES(key + key[:8])
    if len(key) == _DES:
        return TripleDES(key * 3)
    raise CipherInputInvalid(field="key", expected="8 or 16 bytes", length=len(key))


def sized(field: str, data: bytes, length: int) -> bytes:
    """Return data of exactly so many bytes; raises ``CipherInputInvalid``, which tells only lengths."""
    if len(data) != length:
        raise CipherInputInvalid(field=field, expected=f"{length} bytes", length=len(data))
    return data


def _whole(data: bytes, block: int) -> bytes:
    if len(data) % block:
        raise CipherInputInvalid(field="data", expected=f"whole blocks of {block} bytes", length=len(data))
    return data


def tdes(key: bytes, data: bytes) -> bytes:
    """Encrypt whole 8-byte blocks with two-key 3DES (16-byte key) or single DES (8-byte key), ECB."""
    return encryptor(key).update(_whole(data, 8))


def tdes_decrypt(key: bytes, data: bytes) -> bytes:
    """Decrypt what ``tdes`` encrypted."""
    return decryptor(key).update(_whole(data, 8))


def aes(key16: bytes, data: bytes) -> bytes:
    """Encrypt whole 16-byte blocks with AES-128, ECB."""
    return encryptor(key16, Algorithm.AES).update(_whole(data, 16))


def sm4(key16: bytes, data: bytes) -> bytes:
    """Encrypt whole 16-byte blocks with SM4 (GB/T 32907), ECB."""
    return encryptor(key16, Algorithm.SM4).update(_whole(data, 16))


def xor_halves(key16: bytes) -> bytes:
    """Return left half xor right half: the single-DES key of a TAC (PBOC)."""
    number = int.from_bytes(key16, "big")
    return ((number >> 64) ^ (number & 0xFFFFFFFFFFFFFFFF)).to_bytes(8, "big")


def pad(message: bytes, block: int = 8) -> bytes:
    """Append ``80 00…`` up to a whole block, and a full block when already aligned (ISO 9797-1 method 2)."""
    return message + _PADS[block - 1 - len(message) % block]


def des_cbc_mac(key8: bytes, blocks: bytes, iv: bytes = _ZERO) -> bytes:
    """Return the 8-byte DES-CBC-MAC of padded blocks (ISO 9797-1 algorithm 1)."""
    mode = _ZERO_CBC if iv is _ZERO else modes.CBC(iv)
    return Cipher(TripleDES(key8 * 3), mode).encryptor().update(_whole(blocks, 8))[-8:]


def retail_mac(key16: bytes, blocks: bytes, iv: bytes = _ZERO) -> bytes:
    """Return the 8-byte retail MAC of padded blocks (ISO 9797-1 algorithm 3).

    Left half in CBC over all blocks; decrypting with the right half and encrypting with the left at the
    end is the same as one 3DES step on the last block, which is how it is computed here.
    """
    chain = des_cbc_mac(key16[:8], blocks[:-8], iv) if len(blocks) > _DES else iv
    last = int.from_bytes(chain, "big") ^ int.from_bytes(blocks[-8:], "big")
    return encryptor(key16).update(last.to_bytes(8, "big"))


def mac8(key8: bytes, message: bytes) -> bytes:
    """Return the leftmost 4 bytes of DES-CBC-MAC, zero IV, padding method 2: the MAC of purse commands."""
    sized("session key", key8, _DES)
    return des_cbc_mac(key8, pad(message))[:4]


def mac16(key: bytes, message: bytes, iv8: bytes = _ZERO) -> bytes:
    """Return the leftmost 4 bytes of the retail MAC: the MAC of secure messaging (spec: ``docs/keys.md``).

    An 8-byte key gives the plain DES-CBC-MAC with the same IV, as cards do.
    """
    if len(key) == _DES:
        return des_cbc_mac(key, pad(message), iv8)[:4]
    return retail_mac(key, pad(message), iv8)[:4]


def cbc_mac(key16: bytes, message: bytes, algorithm: Algorithm, iv16: bytes = bytes(16)) -> bytes:
    """Return the 16-byte CBC-MAC of AES or SM4 over a message padded by method 2."""
    context = Cipher(_cipher(key16, algorithm), modes.CBC(iv16)).encryptor()
    return context.update(pad(message, 16))[-16:]


def aes_cmac(key16: bytes, message: bytes) -> bytes:
    """Return the 16-byte AES-CMAC (NIST SP 800-38B)."""
    code = CMAC(_cipher(key16, Algorithm.AES))
    code.update(message)
    return code.finalize()
