from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from citycard.card.codec import decode, encode
from citycard.clearing.columns import (
    ASN_SIZE,
    BUCKETS,
    COLUMNS,
    PLACES,
    SLICES,
    bucket_numbers,
    bucket_of,
    packed,
    record_column,
    record_columns,
    records_of,
    share_numbers,
    slice_of,
)
from citycard.errors import BytesInvalid
from citycard.terminal.record import RecordKind, TransactionRecord

fen = st.integers(0, 2**32 - 1)
digits = st.text("0123456789", min_size=20, max_size=20)
records = st.builds(
    TransactionRecord,
    kind=st.sampled_from(RecordKind),
    tti=st.sampled_from([6, 9]),
    service=st.integers(0, 65535),
    issuer=st.just("0101344000FFFFFF"),
    asn=digits,
    card_kind=st.integers(0, 255),
    key_version=st.integers(0, 255),
    algorithm=st.integers(0, 2),
    counter=st.integers(0, 65535),
    balance_before_fen=fen,
    amount_fen=fen,
    balance_after_fen=fen,
    terminal=st.text("0123456789", min_size=12, max_size=12),
    terminal_serial=fen,
    at=st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2099-12-31")).map(
        lambda at: at.replace(microsecond=0)
    ),
    tac=st.binary(min_size=4, max_size=4),
    config=fen,
    blacklist=fen,
    list_price_fen=fen,
)


spoiled = st.tuples(records.map(encode), st.integers(0, 127), st.integers(0, 255)).map(
    lambda drawn: drawn[0][: drawn[1]] + bytes([drawn[2]]) + drawn[0][drawn[1] + 1 :]
)


@given(st.lists(records, max_size=5))
def test_columns_say_the_same_as_the_codec_record_by_record(found):
    raws = [encode(record) for record in found]
    read = records_of(raws)
    columns = record_columns(read) | {name: record_column(read, name) for name in COLUMNS}
    assert [True] * len(found) == columns["readable"].to_pylist()
    assert columns["raw"].to_pylist() == raws
    for name, kind in COLUMNS.items():
        assert columns[name].type == kind
        assert [getattr(record, name) for record in found] == columns[name].to_pylist()


@given(st.lists(spoiled, min_size=1, max_size=4))
def test_a_record_with_any_byte_changed_is_readable_exactly_when_the_codec_reads_it(raws):
    columns = {name: found.to_pylist() for name, found in record_columns(records_of(raws)).items()}
    for place, raw in enumerate(raws):
        try:
            fine = decode(TransactionRecord, raw).version == 1
        except BytesInvalid:
            fine = False
        assert fine == columns["readable"][place]
        assert len(columns["asn"][place]) == 20


def test_places_are_those_of_the_layout():
    assert slice(122, 126) == PLACES["mac"]
    assert slice(14, 24) == PLACES["asn"]


@given(digits)
def test_a_card_always_lies_in_the_same_bucket(asn):
    assert 0 <= bucket_of(asn) < BUCKETS


def test_buckets_are_stable_for_ever():
    assert [bucket_of("31044400000000000001"), bucket_of("31044400000000000002")] == [12, 6]


@given(digits)
def test_a_card_always_lies_in_the_same_slice_of_its_bucket(asn):
    assert 0 <= slice_of(asn) < SLICES
    shares = share_numbers(packed([asn], ASN_SIZE))
    assert shares.tolist() == [bucket_of(asn) + BUCKETS * slice_of(asn)]


def test_slices_are_stable_for_ever():
    assert [slice_of("31044400000000000001"), slice_of("31044400000000000002")] == [0, 11]


@given(st.lists(spoiled, max_size=4))
def test_many_records_go_to_the_buckets_that_each_of_them_belongs_to(raws):
    found = records_of(raws)
    asns = record_columns(found)["asn"].to_pylist()
    assert bucket_numbers(found).tolist() == [bucket_of(asn) for asn in asns]
