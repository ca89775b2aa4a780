"""MACs of prepaid credit: any changed bit, another card or another key is found."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from citycard import codec
from citycard.errors import CodecError
from citycard_utilities.macs import credit_holds, signed_credit, signed_usage, usage_holds
from citycard_utilities.sectors import Prepaid

ASN = bytes.fromhex("0199010000000017")


def keys(purpose, asn8):
    return hashlib.sha256(purpose.encode() + asn8).digest()[:16]


@pytest.fixture
def signed():
    bought = Prepaid(biller=3, meter="000000420017", counter=2, units=3000, year=2026, year_units=8000)
    told = codec.evolve(bought, taken=1, reading=17, left=5, read_at=dt.datetime(2026, 3, 2, 8))
    return signed_usage(keys, ASN, signed_credit(keys, ASN, told))


def test_what_was_signed_holds_on_its_card_under_its_keys_alone(signed):
    assert credit_holds(keys, ASN, signed)
    assert usage_holds(keys, ASN, signed)
    other = bytes(7) + b"\x01"
    assert not credit_holds(keys, other, signed)
    assert not usage_holds(keys, other, signed)
    assert not credit_holds(lambda _, asn8: keys("x", asn8), ASN, signed)


def test_every_bit_that_is_changed_is_found(signed):
    data = codec.encode(signed)
    found = 0
    for place in range(8 * 57):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        try:
            record = codec.decode(Prepaid, bytes(changed))
        except CodecError:
            found += 1
            continue
        assert not (credit_holds(keys, ASN, record) and usage_holds(keys, ASN, record)), place
        found += 1
    assert found == 8 * 57


def test_a_card_without_a_meter_has_nothing_to_sign():
    assert credit_holds(keys, ASN, Prepaid())
    assert usage_holds(keys, ASN, Prepaid())
    assert not credit_holds(keys, ASN, Prepaid(units=100))
    assert not usage_holds(keys, ASN, Prepaid(left=100))
