"""The code over a right: for one card, one sector and every byte, under any key that is honoured."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.card.codec import decode, encode, evolve
from citycard.errors import CodecError
from citycard.keys import CORE_PURPOSES, SoftKeys
from citycard.keys.vault import Vault
from citycard.keys.versions import KeyVersions
from citycard_tourism.errors import RightForged
from citycard_tourism.seals import PURPOSE, Seals
from citycard_tourism.sectors import PASS, TICKETS, PassRecord, TicketRecord, TicketState


@attrs.frozen(kw_only=True)
class Chip:
    asn: str

    @property
    def asn8(self):
        return bytes.fromhex(self.asn)[2:]


MINE, OTHER = Chip(asn="01019901000000000017"), Chip(asn="01019901000000000025")
RECORD = TicketRecord(
    show=1,
    serial=7,
    starts=dt.datetime.fromisoformat("2026-03-02T10:00"),
    minutes=120,
    people=2,
    state=TicketState.VALID,
)


def vault(key=bytes(range(16))):
    made = Vault(SoftKeys(key), KeyVersions())
    made.ensure_purposes([*CORE_PURPOSES, PURPOSE])
    return made


SEALS = Seals(vault())
STAMPED = SEALS.stamp(TICKETS[0], MINE, RECORD)


def test_what_was_stamped_is_trusted():
    assert SEALS.check(TICKETS[0], MINE, STAMPED) == STAMPED
    assert STAMPED.key_version == 1


@pytest.mark.parametrize(("sector", "card"), [(TICKETS[1], MINE), (PASS, MINE), (TICKETS[0], OTHER)])
def test_another_card_or_place_is_not(sector, card):
    with pytest.raises(RightForged):
        SEALS.check(sector, card, STAMPED)


def test_another_city_is_not():
    with pytest.raises(RightForged):
        Seals(vault(bytes(16))).check(TICKETS[0], MINE, STAMPED)


@given(st.integers(0, 33 * 8 - 1))
def test_no_bit_can_be_changed(bit):
    data = bytearray(encode(STAMPED))
    data[bit // 8] ^= 1 << bit % 8
    try:
        changed = decode(TicketRecord, bytes(data))
    except CodecError:
        return  # it is no record any more
    with pytest.raises(RightForged):
        SEALS.check(TICKETS[0], MINE, changed)


@pytest.mark.parametrize("version", [0, 2, 255])
def test_a_key_that_is_not_there_is_a_forgery(version):
    with pytest.raises(RightForged):
        SEALS.check(PASS, MINE, evolve(PassRecord(plan=1, serial=1), key_version=version))


def test_older_rights_stay_good_when_the_key_is_rolled():
    keys = vault()
    before = Seals(keys).stamp(TICKETS[0], MINE, RECORD)
    keys.roll(PURPOSE.name)
    after = Seals(keys).stamp(TICKETS[0], MINE, RECORD)
    assert (before.key_version, after.key_version) == (1, 2)
    assert before.mac != after.mac
    for record in (before, after):
        assert Seals(keys).check(TICKETS[0], MINE, record) == record
