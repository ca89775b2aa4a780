"""What transit keeps on a card and in a record."""

from __future__ import annotations

from datetime import datetime

import pytest

from citycard.card.codec import decode, encode, layout_of
from citycard_transit.sectors import RAIL, RailRecord, RailState, RideFacts, station_bytes


@pytest.mark.parametrize("kind", [RailRecord, RideFacts])
def test_example_bytes_and_records_are_the_same(kind: type) -> None:
    examples = layout_of(kind).examples
    assert examples
    for data, record in examples:
        assert (encode(record), decode(kind, data)) == (data, record)


def test_the_rail_record_has_the_places_of_the_published_one() -> None:
    # Offsets of JT/T 978 readers, from the record's beginning; the first three bytes are id and length.
    published = {
        "state": 14,
        "entry_city": 15,
        "exit_city": 17,
        "entry_institution": 19,
        "exit_institution": 27,
        "entry_station": 35,
        "exit_station": 43,
        "entry_terminal": 51,
        "exit_terminal": 59,
        "entry_at": 67,
        "exit_at": 74,
        "marked_fen": 81,
        "entry_line": 85,
        "exit_line": 86,
        "entry_amount_fen": 87,
        "entry_balance_fen": 91,
        "exit_amount_fen": 95,
        "reserved": 99,
    }
    offsets = {field.name: field.offset + 3 for field in layout_of(RailRecord).fields}
    assert {name: offsets[name] for name in published} == published
    assert (RAIL.size, RAIL.record_id) == (125, 0x2701)


def test_a_new_card_is_on_no_ride() -> None:
    assert decode(RailRecord, RAIL.initial).state is RailState.INITIAL


def test_facts_fill_what_a_record_leaves_to_the_service() -> None:
    facts = RideFacts(place=105, origin=101, entered_at=datetime.fromisoformat("2026-03-02T08:00:00"))
    assert len(encode(facts)) == 48
    assert station_bytes(105) == "0000006900000000"
