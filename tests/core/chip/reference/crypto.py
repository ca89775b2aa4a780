"""The cryptography of a purse card, from the specification, written for reading."""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes


def des(key: bytes, data: bytes) -> bytes:
    """Encrypt whole blocks, DES with 8 bytes of key, 3DES with 16."""
    step = Cipher(TripleDES(key * 3 if len(key) == 8 else key + key[:8]), modes.ECB()).encryptor()
    return step.update(data)


def undo_des(key: bytes, data: bytes) -> bytes:
    step = Cipher(TripleDES(key * 3 if len(key) == 8 else key + key[:8]), modes.ECB()).decryptor()
    return step.update(data)


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def pad(data: bytes) -> bytes:
    """ISO 9797-1 padding method 2: always at least one byte."""
    data += b"\x80"
    return data + bytes(-len(data) % 8)


def mac(key: bytes, data: bytes, iv: bytes = bytes(8)) -> bytes:
    """DES-CBC-MAC for 8 bytes of key, retail MAC (ISO 9797-1 algorithm 3) for 16; leftmost 4 bytes."""
    data, block = pad(data), iv
    for start in range(0, len(data), 8):
        block = des(key[:8], xor(block, data[start : start + 8]))
    if len(key) == 16:
        block = des(key[:8], undo_des(key[8:], block))
    return block[:4]


def fold(key: bytes) -> bytes:
    """X(K): left half xor right half."""
    return xor(key[:8], key[8:]) if len(key) == 16 else key


def seal(key: bytes, data: bytes) -> bytes:
    """Secure messaging: LD, data, padding only where it is needed, ECB."""
    plain = bytes((len(data),)) + data
    return des(key, plain if len(plain) % 8 == 0 else pad(plain))


def unseal(key: bytes, data: bytes) -> bytes | None:
    """Return what was sealed, ``None`` when the length byte cannot be right."""
    if not data or len(data) % 8:
        return None
    plain = undo_des(key, data)
    size = plain[0]
    rest = plain[1 + size :]
    if 1 + size > len(plain) or len(rest) > 7 or (rest and rest != b"\x80" + bytes(len(rest) - 1)):
        return None
    return plain[1 : 1 + size]


def session(key: bytes, rnd: bytes, counter: int, tail: bytes) -> bytes:
    """Every session key of a purse: one block, random and counter and two bytes more."""
    return des(key, rnd + counter.to_bytes(2, "big") + tail)
