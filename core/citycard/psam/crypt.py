"""DELIVERY KEY, DES CRYPT, derive a session key, sector keys, signatures: keys at work inside the SAM.

Layouts: docs/sam.md. A derived key stays in working memory until the next one, another application or a
reset; no command gives it out, except the sector keys of MIFARE Classic, which the reader must have.
"""

from __future__ import annotations

from citycard.chip.state import CardState
from citycard.chip.status import (
    CONDITIONS_NOT_SATISFIED,
    OK,
    WRONG_FILE_KIND,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
    expect_le,
)
from citycard.keys.cipher import aes_cmac, des_cbc_mac, retail_mac, tdes, tdes_decrypt, xor_halves
from citycard.psam.keytable import derived, find_key, newest_key, versioned_key
from citycard.psam.profile import SamKind
from citycard.psam.state import Temporary, profile_of, ram_of

__all__ = ["calculate_key", "delivery_key", "des_crypt", "session_key", "sign"]

_MAC, _MORE, _START, _DECRYPT = 0x01, 0x02, 0x04, 0x80
_ENCRYPTING = {0x00, 0x02, _DECRYPT}
_MACING = {0x01, 0x03, 0x05, 0x07}
_BLOCK, _LONG = 8, 16
_MAC_SIZE, _CMAC_SIZE, _SECTOR_KEY = 4, 16, 6
_SECTOR_DATA = 6
_KEY_A, _KEY_B = 0x0A, 0x0B
# What DELIVERY KEY may take out of the table; a purchase key works in INIT_SAM_FOR_PURCHASE alone.
_DELIVERED = {SamKind.TAC, SamKind.MAINTENANCE, SamKind.MAC, SamKind.ENCRYPT}
_MAC_KINDS = _DELIVERED - {SamKind.ENCRYPT}


def delivery_key(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Derive the key of usage P1 and version P2 by the factors in the data (none to three of 8 bytes)."""
    ram = ram_of(card)
    ram.temporary = None
    levels, odd = divmod(len(data), _BLOCK)
    if odd or levels > 3 or le is not None:  # noqa: PLR2004  # three levels: city, issuer, card
        raise RefusedError(WRONG_LENGTH)
    profile = profile_of(card)
    kind = profile.kind(p1)
    if kind not in _DELIVERED:
        raise RefusedError(WRONG_FILE_KIND)
    if not profile.takes(p1, levels):
        raise RefusedError(WRONG_LENGTH)
    secret = derived(versioned_key(card, p1, p2), data)
    # A TAC key works with left half xor right half, as it does on the card.
    ram.temporary = Temporary(kind=kind, key=xor_halves(secret) if kind is SamKind.TAC else secret)
    return OK


def session_key(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Replace the derived key by a session key: the 8 bytes of data enciphered under it."""
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    if len(data) != _BLOCK or le is not None:
        raise RefusedError(WRONG_LENGTH)
    temporary = _temporary(card)
    temporary.key, temporary.chain = tdes(temporary.key, data), None
    return OK


def des_crypt(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Work with the derived key on whole blocks: P1 bit 0 MAC, bit 1 more follows, bit 2 start value first.

    P1 00 enciphers, 80 deciphers (ECB). A MAC has 4 bytes; with more to follow nothing is answered. The
    caller pads.
    """
    if p2 or p1 not in _ENCRYPTING | _MACING:
        raise RefusedError(WRONG_PARAMETERS)
    if not data or len(data) % _BLOCK:
        raise RefusedError(WRONG_LENGTH)
    temporary = _temporary(card)
    if p1 in _ENCRYPTING:
        if temporary.kind in _MAC_KINDS:
            raise RefusedError(WRONG_FILE_KIND)
        expect_le(le, len(data))
        work = tdes_decrypt if p1 == _DECRYPT else tdes
        return work(temporary.key, data) + OK
    if temporary.kind not in _MAC_KINDS:
        raise RefusedError(WRONG_FILE_KIND)
    return _chained_mac(temporary, p1, data, le)


def _chained_mac(temporary: Temporary, p1: int, data: bytes, le: int | None) -> bytes:
    start, temporary.chain = temporary.chain or bytes(_BLOCK), None
    if p1 & _START:
        start, data = data[:_BLOCK], data[_BLOCK:]
    if p1 & _MORE:
        temporary.chain = des_cbc_mac(temporary.key[:_BLOCK], data, start) if data else start
        return OK
    if not data:
        raise RefusedError(WRONG_LENGTH)
    expect_le(le, _MAC_SIZE)
    mac = retail_mac if len(temporary.key) == _LONG else des_cbc_mac
    return mac(temporary.key, data, start)[:_MAC_SIZE] + OK


def calculate_key(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Answer the six bytes of a sector key of MIFARE Classic; P2 is the version of the sector master key.

    Data: UID (4), sector (1), ``0A`` for key A or ``0B`` for key B (1), then the upper factors, if any. The
    lowest factor is these six bytes and two zeros; the sector key is the first six bytes of what it gives.
    """
    if p1:
        raise RefusedError(WRONG_PARAMETERS)
    upper = data[_SECTOR_DATA:]
    if len(data) < _SECTOR_DATA or len(upper) not in {0, _BLOCK, 2 * _BLOCK}:
        raise RefusedError(WRONG_LENGTH)
    if data[5] not in {_KEY_A, _KEY_B}:
        raise RefusedError(WRONG_PARAMETERS)
    expect_le(le, _SECTOR_KEY)
    key = find_key(card, SamKind.SECTOR, 1 + len(upper) // _BLOCK, p2)
    return derived(key, data[:_SECTOR_DATA] + b"\0\0" + upper)[:_SECTOR_KEY] + OK


def sign(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Answer the AES-CMAC of the data under the terminal's own signature key of the highest version.

    Le 04 asks for the first four bytes, 10 for all sixteen.
    """
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    if not data:
        raise RefusedError(WRONG_LENGTH)
    size = _MAC_SIZE if le == _MAC_SIZE else _CMAC_SIZE
    expect_le(le, size)
    return aes_cmac(newest_key(card, SamKind.SIGNATURE).key, data)[:size] + OK


def _temporary(card: CardState) -> Temporary:
    temporary = ram_of(card).temporary
    if temporary is None:
        raise RefusedError(CONDITIONS_NOT_SATISFIED)
    return temporary
