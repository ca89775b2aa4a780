"""The bytes on the card and in the facts: small, and the same in both directions."""

from __future__ import annotations

import pytest

from citycard.card.codec import decode, encode, layout_of
from citycard.errors import CodecError
from citycard_tourism.sectors import (
    SECTORS,
    FeeFacts,
    PassFacts,
    PassRecord,
    ReaderRecord,
    TicketFacts,
    TicketRecord,
    VisitFacts,
)

RECORDS = (PassRecord, TicketRecord, ReaderRecord, PassFacts, TicketFacts, VisitFacts, FeeFacts)


@pytest.mark.parametrize("kind", RECORDS)
def test_every_example_is_read_as_it_was_written(kind):
    assert layout_of(kind).examples
    for data, record in layout_of(kind).examples:
        assert (decode(kind, data), encode(record)) == (record, data)


def test_all_sectors_together_are_small():
    assert [sector.size for sector in SECTORS] == [45, 45, 33, 33, 23]
    assert sum(sector.size for sector in SECTORS) <= 250


@pytest.mark.parametrize("kind", [PassFacts, TicketFacts, VisitFacts, FeeFacts])
def test_facts_fill_a_record(kind):
    assert layout_of(kind).size == 48


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (TicketRecord, bytes(32)),
        (TicketRecord, bytes(34)),
        (TicketRecord, b"\xff" * 33),
        (PassRecord, b"\xff" * 45),
        (ReaderRecord, b"\x99" * 23),
        (VisitFacts, b"\x00\x01\x09" + bytes(45)),
    ],
)
def test_bytes_that_mean_nothing_are_refused(kind, data):
    with pytest.raises(CodecError):
        decode(kind, data)
