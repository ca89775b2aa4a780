"""The MACs that keep prepaid credit and meter readings on a card from being forged.

Each is the first 8 bytes of an AES-CMAC under the card's own key of a purpose, over the card's 8-byte number
and the fields it protects, as they lie in the sector. Who may write has the key: the biller's counters and
its meters.
"""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from citycard import KeyPurpose, codec
from citycard.card.codec import layout_of
from citycard_utilities.sectors import Prepaid

__all__ = [
    "CREDIT_KEY",
    "KEYS",
    "USAGE_KEY",
    "CardKey",
    "credit_holds",
    "signed_credit",
    "signed_usage",
    "usage_holds",
]

CardKey = Callable[[str, bytes], bytes]
"""Gives a card's 16-byte key of a purpose, by the purpose's name and the card's 8-byte number."""

CREDIT_KEY, USAGE_KEY = "utilities-credit", "utilities-usage"
KEYS = (
    KeyPurpose(name=CREDIT_KEY, kind=0x48, title="Signs prepaid credit on a card", owner="utilities"),
    KeyPurpose(name=USAGE_KEY, kind=0x49, title="Signs what a meter writes on a card", owner="utilities"),
)

_SIZE = 8
_PLACES = {field.name: field.offset for field in layout_of(Prepaid).fields}
_CREDIT = slice(0, _PLACES["credit_mac"])
_METER = slice(0, _PLACES["counter"])
_USAGE = slice(_PLACES["taken"], _PLACES["usage_mac"])


def signed_credit(keys: CardKey, asn8: bytes, record: Prepaid) -> Prepaid:
    """Give a record with the counter's MAC over its credit."""
    return codec.evolve(record, credit_mac=_credit_mac(keys, asn8, record))


def signed_usage(keys: CardKey, asn8: bytes, record: Prepaid) -> Prepaid:
    """Give a record with the meter's MAC over what it took and counted."""
    return codec.evolve(record, usage_mac=_usage_mac(keys, asn8, record))


def credit_holds(keys: CardKey, asn8: bytes, record: Prepaid) -> bool:
    """Say whether a counter wrote the credit of a record onto this card; a card without a meter has none."""
    if record.biller == 0:
        return record == Prepaid()
    return compare_digest(_credit_mac(keys, asn8, record), record.credit_mac)


def usage_holds(keys: CardKey, asn8: bytes, record: Prepaid) -> bool:
    """Say whether the meter wrote what it says; one that never did left zeros."""
    if record.read_at is None:
        return not (record.taken or record.reading or record.left or any(record.usage_mac))
    return compare_digest(_usage_mac(keys, asn8, record), record.usage_mac)


def _credit_mac(keys: CardKey, asn8: bytes, record: Prepaid) -> bytes:
    return _mac(keys(CREDIT_KEY, asn8), asn8 + codec.encode(record)[_CREDIT])


def _usage_mac(keys: CardKey, asn8: bytes, record: Prepaid) -> bytes:
    data = codec.encode(record)
    return _mac(keys(USAGE_KEY, asn8), asn8 + data[_METER] + data[_USAGE])


def _mac(key16: bytes, data: bytes) -> bytes:
    made = CMAC(AES(key16))
    made.update(data)
    return made.finalize()[:_SIZE]
