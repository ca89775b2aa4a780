"""What a purse computes with: a session key, a transaction MAC and a TAC key, per algorithm.

3DES is the published purse of PBOC and JT/T 978. AES and SM4 are **experimental**: no public card or test
vector is known for them, so how a session block grows to 16 bytes is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from citycard.keys.cipher import Algorithm, aes_cmac, cbc_mac, encryptor, mac8, xor_halves

__all__ = [
    "AES_SUITE",
    "SM4_SUITE",
    "TDES_SUITE",
    "Suite",
    "experimental_suite",
    "padded",
    "suite_of",
    "with_inverse",
]


@attrs.frozen(kw_only=True)
class Suite:
    """The three computations of one purse algorithm.

    ``session(key, block8)`` gives the session key, ``mac(key, message)`` 4 bytes, and ``tac_key(dtk)`` the
    key under which ``mac`` gives the TAC.
    """

    algorithm: Algorithm
    session: Callable[[bytes, bytes], bytes]
    mac: Callable[[bytes, bytes], bytes]
    tac_key: Callable[[bytes], bytes]
    experimental: bool = False


def _tdes_session(key16: bytes, block8: bytes) -> bytes:
    return encryptor(key16).update(block8)


def with_inverse(block8: bytes) -> bytes:
    """Grow a session block to 16 bytes by its inverse."""
    return block8 + bytes(byte ^ 0xFF for byte in block8)


def padded(block8: bytes) -> bytes:
    """Grow a session block to 16 bytes by ``80 00…``."""
    return block8 + b"\x80" + bytes(7)


def experimental_suite(algorithm: Algorithm, expand: Callable[[bytes], bytes] = with_inverse) -> Suite:
    """Make the suite of a 16-byte-block cipher: AES with CMAC, SM4 with CBC-MAC, the whole DTK as TAC key."""

    def session(key16: bytes, block8: bytes) -> bytes:
        return encryptor(key16, algorithm).update(expand(block8))

    full = aes_cmac if algorithm == Algorithm.AES else partial(cbc_mac, algorithm=algorithm)

    def mac(key16: bytes, message: bytes) -> bytes:
        return full(key16, message)[:4]

    return Suite(algorithm=algorithm, session=session, mac=mac, tac_key=bytes, experimental=True)


TDES_SUITE = Suite(algorithm=Algorithm.TDES, session=_tdes_session, mac=mac8, tac_key=xor_halves)
AES_SUITE = experimental_suite(Algorithm.AES)
SM4_SUITE = experimental_suite(Algorithm.SM4)

_SUITES = {suite.algorithm: suite for suite in (TDES_SUITE, AES_SUITE, SM4_SUITE)}


def suite_of(algorithm: Algorithm) -> Suite:
    """Return the suite of an algorithm."""
    return _SUITES[algorithm]
