"""Rights on the card: what the city wrote counts, and nothing that was copied or changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.card import decode, encode
from citycard.errors import CodecError
from citycard.kernel.settings import structure
from citycard_egov.errors import ResidentCardInvalid
from citycard_egov.sectors import ResidentRecord, checked_rights, resident_record
from citycard_egov.settings import EgovSettings

KEY, CARD = bytes(range(16)), bytes.fromhex("0199010000000001")
TODAY, YEAR = dt.date(2026, 3, 2), dt.date(2027, 3, 2)


@pytest.fixture
def made(settings: dict[str, Any]) -> EgovSettings:
    return structure(EgovSettings, settings, where="plugins.egov")


def written(made: EgovSettings, **rights: dt.date | None) -> ResidentRecord:
    named = {name.replace("_", "-"): day for name, day in rights.items()}
    return resident_record(made, named, key=KEY, asn8=CARD, on=TODAY, until=YEAR)


def test_rights_are_read_back_until_the_first_of_them_ends(made: EgovSettings) -> None:
    record = written(made, over_65=None, student=dt.date(2026, 8, 31), stranger=dt.date(2026, 4, 1))
    assert (record.rights, record.until) == (0b101, dt.date(2026, 8, 31))
    read = decode(ResidentRecord, encode(record))
    assert checked_rights(made, read, key=KEY, asn8=CARD, on=TODAY) == {"over-65", "student"}
    assert checked_rights(made, read, key=KEY, asn8=CARD, on=dt.date(2026, 9, 1)) == frozenset()
    assert checked_rights(made, ResidentRecord(), key=KEY, asn8=CARD, on=TODAY) == frozenset()


@given(place=st.integers(0, 23), flip=st.integers(1, 255))
def test_no_byte_can_be_changed_on_the_card(place: int, flip: int) -> None:
    made = EgovSettings()
    data = bytearray(encode(resident_record(made, {}, key=KEY, asn8=CARD, on=TODAY, until=YEAR)))
    data[place] ^= flip
    try:
        record = decode(ResidentRecord, bytes(data))
    except CodecError:
        return
    if record.version == 0:
        assert checked_rights(made, record, key=KEY, asn8=CARD, on=TODAY) == frozenset()
        return
    if 11 <= place < 16:  # reserved bytes are not read
        return
    with pytest.raises(ResidentCardInvalid):
        checked_rights(made, record, key=KEY, asn8=CARD, on=TODAY)


def test_a_record_copied_to_another_card_does_not_count(made: EgovSettings) -> None:
    record = written(made, over_65=None)
    with pytest.raises(ResidentCardInvalid, match="was not written by the city"):
        checked_rights(made, record, key=KEY, asn8=bytes(8), on=TODAY)
    with pytest.raises(ResidentCardInvalid):
        checked_rights(made, attrs.evolve(record, rights=7), key=KEY, asn8=CARD, on=TODAY)
    with pytest.raises(ResidentCardInvalid):
        checked_rights(made, attrs.evolve(record, version=0), key=KEY, asn8=CARD, on=TODAY)
