"""An incomplete trip shows at the next record that says so, and never where a debit is missing between."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from citycard.clearing.intake import receive
from citycard.clearing.queries import card_taps
from citycard.clearing.run import clear
from citycard.terminal.record import RecordKind

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, BUS = "344000000001", "344000000003"
ENTRY, EXIT, SINGLE, OPENED = RecordKind.ENTRY, RecordKind.EXIT, RecordKind.SINGLE, RecordKind.OPENED


def told(town, card, *steps, runs=1, lost=()):
    """Let a card take steps, each a kind or a kind and a service; say where each ended."""
    before = card.counter
    for place, step in enumerate(steps):
        kind, service = step if isinstance(step, tuple) else (step, 1)
        at = AT + timedelta(minutes=card.counter)
        amount_fen = 300 * (kind in {EXIT, SINGLE})
        town.tap(card, amount_fen, at, kind=kind, service=service, keep=place not in lost)
        if runs > 1:
            receive(town, [town.batch()])
            clear(town)
    if runs == 1:
        receive(town, [town.batch()])
        clear(town)
    ended = {tap.counter: (tap.code, *tap.notes) for tap in card_taps(town, card.asn)}
    return [" ".join(ended.get(one, ())) for one in range(before, card.counter)]


@pytest.mark.parametrize("runs", [1, 9])
@pytest.mark.parametrize(
    ("steps", "codes"),
    [
        ([ENTRY, EXIT, ENTRY, EXIT], ["OK"] * 4),
        ([ENTRY, SINGLE, EXIT], ["OK"] * 3),
        ([ENTRY, ENTRY, EXIT], ["OK", "G02", "OK"]),
        ([ENTRY, SINGLE, ENTRY], ["OK", "OK", "G02"]),
        ([OPENED, EXIT, ENTRY], ["G02", "OK", "OK"]),
        ([ENTRY, OPENED, EXIT], ["OK", "G02", "OK"]),
        ([EXIT, EXIT], ["OK", "OK"]),
        ([ENTRY, (ENTRY, 2), (EXIT, 2), ENTRY], ["OK"] * 4),
    ],
)
def test_an_incomplete_trip_shows_in_whichever_runs_its_records_are_cleared(town, card, steps, codes, runs):
    assert told(town, card, *steps, runs=runs) == codes


def test_a_missing_debit_may_be_the_exit(town, card):
    assert told(town, card, ENTRY, EXIT, ENTRY, lost=[1]) == ["OK", "", "C01"]
    assert told(town, card, ENTRY) == ["G02"]


def test_a_missing_debit_of_an_earlier_run_may_be_the_exit(town, card):
    assert told(town, card, ENTRY, EXIT, SINGLE, lost=[1]) == ["OK", "", "C01"]
    assert told(town, card, ENTRY) == ["OK"]


def test_cards_do_not_see_each_others_trips(town, card):
    (other,) = town.issue(2)
    town.load(other, 10_000)
    for one in (card, other):
        town.tap(one, 0, AT, kind=ENTRY)
    receive(town, [town.batch()])
    assert {total.code: total.records for total in clear(town).totals} == {"OK": 2}


def test_what_comes_late_or_again_neither_opens_nor_closes_a_trip(town, card):
    entry = town.tap(card, 0, AT, kind=ENTRY)
    town.tap(card, 300, AT + timedelta(minutes=1), kind=EXIT)
    lost = town.tap(card, 300, AT + timedelta(minutes=2), keep=False)
    receive(town, [town.batch()])
    clear(town)
    receive(town, [town.batch(records=[entry])])
    clear(town)
    assert told(town, card, ENTRY) == ["C01"]
    receive(town, [town.batch(records=[lost])])
    clear(town)
    # The entry was no second one, and what came late did not end its trip.
    assert told(town, card, ENTRY) == ["G02"]


def test_states_that_were_written_before_trips_were_followed_are_read(town, card):
    assert told(town, card, ENTRY) == ["OK"]
    (path,) = (town.folder / "cards").rglob("*.parquet")
    table = pq.read_table(pa.BufferReader(path.read_bytes()))
    pq.write_table(table.drop_columns(["riding"]), path)
    assert told(town, card, ENTRY, ENTRY) == ["OK", "G02"]
