"""What intake keeps of records: under a name that says what is in it, with what it found of their MACs."""

from __future__ import annotations

from datetime import date, datetime

import attrs
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from citycard.clearing.columns import SLICES, records_of, slice_of
from citycard.clearing.files import write_named, write_table
from citycard.clearing.gather import read_bucket
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.tables import segment
from citycard.clearing.verify import macs_hold
from citycard.clearing.work import Segment
from citycard.errors import ArchiveDamaged
from citycard.store import reading
from citycard.terminal.record import RecordFlag

AT = datetime.fromisoformat("2018-09-01T07:00")
OTHER = "344000000002"


def kept(town):
    """Give the one segment of a town: its path, and the row that names it."""
    (path,) = (town.folder / "records").rglob("*.parquet")
    return path, Segment(path=str(path.relative_to(town.folder)), business_date=date(2018, 9, 1), records=1)


def test_a_mac_that_held_is_not_asked_for_again(token_town):
    (card,) = token_town.issue(1)
    token_town.load(card, 10_000)
    token_town.import_key("batch", "batch")
    token_town.tap(card, 200, AT)
    receive(token_town, [token_town.batch()])
    token_town.lose_key("batch", 2)
    assert [total.code for total in clear(token_town).totals] == ["OK"]


def test_a_mac_by_a_key_that_is_no_longer_honoured_is_worth_nothing(town, card):
    town.tap(card, 200, AT)
    receive(town, [town.batch()])
    town.vault.roll("batch")
    town.vault.retire("batch", 1)
    assert [total.code for total in clear(town).totals] == ["R08"]


def test_a_record_that_was_held_proved_its_mac_then(town, card):
    town.tap(card, 200, AT, flags=RecordFlag.UNPROVEN)
    receive(town, [town.batch()])
    assert [total.code for total in clear(town).totals] == ["G01"]
    town.vault.roll("batch")
    town.open_terminal(OTHER, "", registered=False)
    town.tap(card, 300, AT.replace(hour=8), OTHER)
    receive(town, [town.batch(OTHER)])
    town.vault.retire("batch", 1)
    assert {total.code for total in clear(town).totals} == {"G05", "OK"}


def test_a_record_that_its_terminal_did_not_make_is_asked_for_by_the_run(town, card):
    raw = town.tap(card, 200, AT, keep=False)
    receive(town, [town.batch(records=[raw[:-7] + bytes([raw[-7] ^ 1]) + raw[-6:]])])
    _, segment = kept(town)
    assert read_bucket(town, 0, [segment]).mac_holds.tolist() == [False]
    assert [total.code for total in clear(town).totals] == ["R08"]


def test_a_file_that_is_not_what_its_name_says_stops_the_run_and_nothing_is_written(town, card):
    town.tap(card, 200, AT)
    receive(town, [town.batch()])
    path, _ = kept(town)
    whole = path.read_bytes()
    write_table(path, pq.read_table(path).slice(0, 0))
    with pytest.raises(ArchiveDamaged, match="missing or damaged"):
        clear(town)
    path.unlink()
    with pytest.raises(ArchiveDamaged, match="missing or damaged"):
        clear(town)
    path.write_bytes(whole)
    assert [total.code for total in clear(town).totals] == ["OK"]


def test_a_file_of_before_with_other_records_than_its_row_says_stops_the_run(town, card):
    town.tap(card, 200, AT)
    receive(town, [town.batch()])
    path, segment = kept(town)
    write_table(town.folder / "records/before.parquet", pq.read_table(path))
    earlier = attrs.evolve(segment, path="records/before.parquet", records=3)
    with pytest.raises(ArchiveDamaged):
        read_bucket(town, 0, [earlier])


@pytest.mark.parametrize("says", [True, False])
def test_each_record_is_in_one_slice_of_its_bucket_whether_the_file_says_in_which_or_not(town, says):
    for card in town.issue(*range(1, 200)):
        town.load(card, 10_000)
        town.tap(card, 200, AT)
    receive(town, [town.batch()])
    with reading(town.engine) as conn:
        kept_ones = conn.execute(select(segment)).all()
    for one in kept_ones:
        path = one.path
        if not says:
            table = pq.read_table(town.folder / path).replace_schema_metadata(None)
            path = write_named(town.folder, "records", table)
        mine = Segment(path=path, business_date=one.business_date, records=one.records)
        whole = read_bucket(town, one.bucket, [mine])
        parts = [read_bucket(town, one.bucket, [mine], range(at, at + 4)) for at in range(0, SLICES, 4)]
        assert sorted(asn for part in parts for asn in part.asns) == whole.asns
        for part in parts:
            assert {slice_of(asn) for asn in part.asns} <= set(part.slices)
            assert part.mac_holds.all()


def test_what_a_file_says_of_macs_is_believed_under_the_name_of_its_bytes_alone(town, card):
    town.tap(card, 200, AT)
    receive(town, [town.batch()])
    path, segment = kept(town)
    table = pq.read_table(path)
    write_table(town.folder / "records/before.parquet", table)
    earlier = attrs.evolve(segment, path="records/before.parquet")
    assert read_bucket(town, 0, [earlier]).mac_holds.tolist() == [False]
    without = write_named(town.folder, "records", table.drop_columns(["mac_holds"]))
    bucket = read_bucket(town, 0, [segment, earlier, attrs.evolve(segment, path=without)])
    assert sorted(bucket.mac_holds.tolist()) == [False, False, True]


def test_what_cannot_be_asked_when_records_come_in_is_left_to_the_run(token_town):
    (card,) = token_town.issue(1)
    token_town.load(card, 10_000)
    records = records_of(token_town.tap(card, 200, AT, keep=False))
    assert macs_hold(records, token_town.vault).tolist() == [True]
    token_town.import_key("batch", "batch")
    token_town.lose_key("batch", 2)
    assert macs_hold(records, token_town.vault).tolist() == [False]
