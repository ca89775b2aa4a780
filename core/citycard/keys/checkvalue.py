"""Check values (KCV): three bytes by which two people compare a key without showing it."""

from __future__ import annotations

from citycard.keys.cipher import Algorithm, aes_cmac, encryptor

__all__ = ["KCV_SIZE", "check_value", "check_value_name"]

KCV_SIZE = 3


def check_value(key: bytes, algorithm: Algorithm = Algorithm.TDES) -> bytes:
    """Return the 3-byte check value of a key.

    3DES and SM4: the first bytes of a block of zeros, encrypted. AES: the first bytes of the CMAC of a block
    of zeros (ANSI X9.24-1), because the encrypted block itself is a CMAC subkey.
    """
    if algorithm == Algorithm.AES:
        return aes_cmac(key, bytes(16))[:KCV_SIZE]
    return encryptor(key, algorithm).update(bytes(16))[:KCV_SIZE]


def check_value_name(algorithm: Algorithm) -> str:
    """Return the name of the rule by which the check value was made, for a protocol."""
    return "CMAC" if algorithm == Algorithm.AES else "ECB"
