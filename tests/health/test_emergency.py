"""Emergency data: for one card, one root of keys, and never half written."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.card import decode, encode, evolve
from citycard.errors import CitycardError
from citycard.ids import derived_id
from citycard_health.emergency import EmergencyTerminal, open_record, seal_record
from citycard_health.errors import EmergencyBroken, EmergencyRefused
from citycard_health.sectors import EMERGENCY, BloodGroup, EmergencyData, EmergencyReason, EmergencyRecord

ASN8 = bytes.fromhex("9901000000000017")
ASN = "01019901000000000017"
DATA = EmergencyData(
    blood=BloodGroup.A_NEGATIVE, allergies="Nuts", contact="Han Mei", phone="139", donor=True
)


@attrs.frozen
class Keys:
    """Card keys under a root that a test names."""

    root: str = "health"

    def card_key(self, purpose, asn8):
        return derived_id(self.root, purpose, asn8.hex()).bytes


def test_sealed_data_opens_for_its_card_and_keys_alone():
    """Another card, another root, one bit changed: nothing opens."""
    sealed = seal_record(Keys(), ASN8, DATA)
    assert open_record(Keys(), ASN, ASN8, sealed) == DATA
    for keys, asn8, record in (
        (Keys("city"), ASN8, sealed),
        (Keys(), ASN8[:-1] + b"\x18", sealed),
        (Keys(), ASN8, evolve(sealed, sealed=bytes([sealed.sealed[0] ^ 1]) + sealed.sealed[1:])),
        (Keys(), ASN8, evolve(sealed, nonce=bytes(12))),
    ):
        with pytest.raises(EmergencyBroken):
            open_record(keys, ASN, asn8, record)
    with pytest.raises(EmergencyRefused, match="none is written"):
        open_record(Keys(), ASN, ASN8, decode(EmergencyRecord, EMERGENCY.initial))
    with pytest.raises(EmergencyRefused, match="version 2"):
        open_record(Keys(), ASN, ASN8, evolve(sealed, version=2))


@given(st.binary(min_size=EMERGENCY.size, max_size=EMERGENCY.size))
def test_any_bytes_in_the_sector_are_refused_by_name(data):
    """Nobody without the key makes data that opens."""
    with pytest.raises((EmergencyRefused, EmergencyBroken)):
        open_record(Keys(), ASN, ASN8, decode(EmergencyRecord, data))


@given(st.binary(max_size=200).filter(lambda data: len(data) != EMERGENCY.size))
def test_a_sector_of_another_size_is_refused(data):
    """By the codec, naming the layout."""
    with pytest.raises(CitycardError, match="EmergencyRecord"):
        decode(EmergencyRecord, data)


def test_the_same_data_never_looks_the_same():
    """A nonce of its own each time."""
    assert encode(seal_record(Keys(), ASN8, DATA)) != encode(seal_record(Keys(), ASN8, DATA))


def test_a_card_that_is_torn_from_the_field_has_the_new_data_when_it_comes_back(town):
    """At any write of the chip; what a terminal was told is on the card, and was recorded once."""
    keys, card = town.city.hierarchy("health"), town.card("health-card")
    till = town.till(town.terminal("clinic-east"))
    terminal = EmergencyTerminal(till, keys)
    for writes in range(1, 13):
        card.chip.eeprom.cut_after(writes, torn=bool(writes % 2))
        terminal.write(card.reader, town.now, evolve(DATA, contact=f"Nr {writes}"), staff="Dr Wang")
        card.chip.eeprom.cut_after(None)
        town.pass_time(timedelta(minutes=5))
        found = terminal.read(card.reader, town.now, reason=EmergencyReason.ACCIDENT, staff="Dr Wang")
        assert found.contact == f"Nr {writes}"
        town.pass_time(timedelta(minutes=5))
    assert len(till.records) == 24


def test_nobody_reads_or_writes_without_a_name_and_a_reason(town):
    """With OTHER, the note has to say it."""
    terminal = EmergencyTerminal(town.till(town.terminal("clinic-east")), town.city.hierarchy("health"))
    card = town.card("health-card")
    with pytest.raises(EmergencyRefused, match="needs a name"):
        terminal.write(card.reader, town.now, DATA, staff=" ")
    with pytest.raises(EmergencyRefused, match="needs a name"):
        terminal.read(card.reader, town.now, reason=EmergencyReason.ACCIDENT, staff="")
    with pytest.raises(EmergencyRefused, match="with OTHER"):
        terminal.read(card.reader, town.now, reason=EmergencyReason.OTHER, staff="Dr Wang")
