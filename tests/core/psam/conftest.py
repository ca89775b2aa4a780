"""A SAM of terminal 300089000340 with keys made by hand, and DES of its own to compute what it must say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import attrs
import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from citycard.psam import TRANSIT_PSAM, Psam, SamIdentity, SamKey, SamProfile, personalise_sam
from citycard.terminal import InProcessReader

TERMINAL = bytes.fromhex("300089000340")
MASTER = bytes.fromhex("0F1E2D3C4B5A69788796A5B4C3D2E1F0")
PURCHASE = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
TAC = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
MAINTENANCE = bytes.fromhex("505152535455565758595A5B5C5D5E5F")
ENCRYPT = bytes.fromhex("707172737475767778797A7B7C7D7E7F")
SECTOR = bytes.fromhex("909192939495969798999A9B9C9D9E9F")
GREY = bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
SIGNATURE = bytes.fromhex("E0E1E2E3E4E5E6E7E8E9EAEBECEDEEEF")
ASN8 = bytes.fromhex("5170070104791381")
ISSUER8 = bytes.fromhex("01015840FFFFFFFF")
CITY8 = bytes.fromhex("5840FFFFFFFFFFFF")

KEYS = [
    SamKey(usage=0x22, version=1, key=PURCHASE),
    SamKey(usage=0x42, version=1, key=PURCHASE),
    SamKey(usage=0x62, version=1, key=PURCHASE),
    SamKey(usage=0x44, version=1, key=TAC),
    SamKey(usage=0x45, version=2, key=MAINTENANCE),
    SamKey(usage=0x27, version=1, key=ENCRYPT),
    SamKey(usage=0x29, version=1, key=SECTOR),
    SamKey(usage=0x2D, version=1, key=GREY),
    SamKey(usage=0x1E, version=1, algorithm=2, key=SIGNATURE),
]
SEALED = [key.sealed(MASTER) for key in KEYS]
IDENTITY = SamIdentity(
    number="00000000300089000340",
    terminal="300089000340",
    issuer="01015840FFFFFFFF",
    receiver="01015840FFFFFFFF",
    start=dt.date(2026, 1, 1),
    expiry=dt.date(2036, 12, 31),
)


def des(key: bytes, data: bytes, *, iv: bytes | None = None) -> bytes:
    """Encipher with DES (8-byte key) or 3DES (16), ECB or CBC: the library's, not the project's."""
    whole = key * 3 if len(key) == 8 else key + key[:8]
    mode = modes.ECB() if iv is None else modes.CBC(iv)
    return Cipher(TripleDES(whole), mode).encryptor().update(data)


def child(key: bytes, factor: bytes) -> bytes:
    return des(key, factor) + des(key, bytes(byte ^ 0xFF for byte in factor))


def padded(data: bytes) -> bytes:
    return data + b"\x80" + bytes(7 - len(data) % 8)


def mac8(key: bytes, data: bytes) -> bytes:
    return des(key, padded(data), iv=bytes(8))[-8:][:4]


def retail(key: bytes, blocks: bytes, iv: bytes) -> bytes:
    chain = des(key[:8], blocks, iv=iv)[-8:]
    back = Cipher(TripleDES(key[8:] * 3), modes.ECB()).decryptor().update(chain)
    return des(key[:8], back)[:4]


def send(sam: Psam, apdu: str) -> str:
    """Send a command written in hex, spaces allowed; return answer and status word in hex."""
    return sam.transmit(bytes.fromhex(apdu)).hex().upper()


@pytest.fixture(scope="session")
def _made() -> bytes:
    sam = Psam.blank()
    personalise_sam(InProcessReader(sam), IDENTITY, SEALED, MASTER)
    return sam.image()


@pytest.fixture
def make_sam(_made: bytes) -> Callable[..., Psam]:
    def make(profile: SamProfile = TRANSIT_PSAM, **settings: object) -> Psam:
        sam = Psam.from_image(
            _made, attrs.evolve(profile, **settings), random=lambda size: bytes(range(size))
        )
        sam.power_on()
        assert send(sam, "00A40000028011")[-4:] in {"9000", "6116"}
        return sam

    return make


@pytest.fixture
def sam(make_sam: Callable[..., Psam]) -> Psam:
    """A SAM with power, its application selected."""
    return make_sam()
