"""Files that arrive while windows close: whatever comes between, no record is lost and none counts twice."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from citycard.clearing.codes import FileState
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.tables import batch_file, clearing_part, clearing_run
from citycard.store import reading

AT = datetime.fromisoformat("2018-09-01T06:00")
TERMINALS = ("344000000001", "344000000002", "344000000003")


@pytest.fixture
def anywhere(town, store, tmp_path):
    """A town on SQLite, then one on PostgreSQL."""
    place = type(town)(tmp_path / "anywhere", store.url.render_as_string(hide_password=False))
    place.folder.mkdir()
    yield place.found()
    place.engine.dispose()


def written(town, draw, files):
    """Let terminals write many small batches of taps of a few cards; say what each batch's taps cost."""
    cards = town.issue(*range(1, 7))
    for card in cards:
        town.load(card, 100_000)
    made, costs = [], {}
    for number in range(files):
        terminal = draw.choice(TERMINALS)
        costs_fen = [draw.randrange(300) for _ in range(draw.randrange(1, 4))]
        for minute, cost_fen in enumerate(costs_fen):
            town.tap(draw.choice(cards), cost_fen, AT + timedelta(minutes=4 * number + minute), terminal)
        made.append(town.batch(terminal))
        costs[made[-1][0]] = costs_fen
    return made, costs


def outcomes(town):
    """Count how often each record was decided, by terminal, batch and line, and add up what was accepted."""
    with reading(town.engine) as conn:
        paths = conn.scalars(select(clearing_part.c.outcomes)).all()
    seen, accepted_fen = Counter(), 0
    for path in paths:
        for row in pq.ParquetFile(town.folder / path).read().to_pylist():
            seen[row["terminal"], row["batch_number"], row["line"]] += 1
            accepted_fen += row["amount_fen"] if row["state"] == "accepted" else 0
    return seen, accepted_fen


def hand_in(town, files, draw_of_mine, troubles):
    """Hand in files in an order of one's own, some at a time."""
    try:
        while files:
            size = draw_of_mine.randrange(1, 4)
            some, files = files[:size], files[size:]
            receive(town, some, portion_bytes=draw_of_mine.choice((1, 400, 1 << 20)))
            time.sleep(draw_of_mine.random() * 0.01)
    except BaseException as trouble:
        troubles.append(trouble)
        raise


@pytest.mark.parametrize("seed", range(3))
def test_windows_that_close_while_files_arrive_lose_nothing_and_double_nothing(anywhere, seed):
    town, draw, troubles = anywhere, random.Random(seed), []
    files, _ = written(town, draw, 24)
    # Every file is handed in by two collectors, each in an order of its own.
    shares = [draw.sample(files, len(files)) for _ in range(2)]
    collectors = [
        threading.Thread(target=hand_in, args=(town, share, random.Random(seed + number), troubles))
        for number, share in enumerate(shares)
    ]
    for collector in collectors:
        collector.start()
    while any(collector.is_alive() for collector in collectors):
        clear(town)
    for collector in collectors:
        collector.join()
    clear(town)
    assert troubles == []
    with reading(town.engine) as conn:
        states = Counter(conn.scalars(select(batch_file.c.state)))
        runs = conn.execute(select(clearing_run).order_by(clearing_run.c.number)).all()
        accepted = conn.execute(
            select(batch_file.c.terminal, batch_file.c.number, batch_file.c.records).where(
                batch_file.c.state == FileState.ACCEPTED.value
            )
        ).all()
        balance = town.ledger.balance(conn, "control/window").balance_fen
        assert town.ledger.audit(conn) == []
    assert states == {"accepted": len(files), "duplicate": len(files)}
    seen, accepted_fen = outcomes(town)
    lines = {(row.terminal, row.number, line + 1) for row in accepted for line in range(row.records)}
    assert seen == Counter(dict.fromkeys(lines, 1))
    told = [total for run in runs for total in run.report["totals"]]
    assert accepted_fen == sum(one["amount_fen"] for one in told if one["state"] == "accepted")
    assert len(lines) == sum(one["records"] for one in told)
    assert balance == 0
    # Every intake belongs to one run: where one ends, the next begins.
    assert [run.from_intake for run in runs[1:]] == [run.watermark for run in runs[:-1]]


def test_a_portion_is_taken_in_even_if_others_are_always_faster(anywhere):
    """Many who hand in at once: nobody is refused, and intakes are numbered without a gap."""
    town, troubles = anywhere, []
    files, _ = written(town, random.Random(7), 16)
    everybody = [
        threading.Thread(target=hand_in, args=(town, [file], random.Random(0), troubles)) for file in files
    ]
    for one in everybody:
        one.start()
    for one in everybody:
        one.join()
    assert troubles == []
    with reading(town.engine) as conn:
        intakes = sorted(conn.scalars(select(batch_file.c.intake)))
    assert intakes == list(range(1, len(files) + 1))


# Which files come in, each in the place of one; the number of bytes after which a portion is full.
arrivals = st.tuples(st.lists(st.integers(0, 11), max_size=4), st.sampled_from([1, 400, 1 << 20]))
# What happens: files come in, or a window closes while others come in after its first buckets.
moments = st.one_of(arrivals, st.lists(arrivals, max_size=3))


@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 999), st.lists(moments, max_size=8))
def test_wherever_files_fall_between_windows_each_tap_counts_once(towns_of, seed, story):
    with tempfile.TemporaryDirectory() as folder:
        town = towns_of(Path(folder))
        files, costs = written(town, random.Random(seed), 12)
        waiting, counted, handed_in = set(), Counter(), Counter()

        def take_in(arrival):
            places, portion_bytes = arrival
            some = [files[place] for place in places]
            ends = [one.state for one in receive(town, some, portion_bytes=portion_bytes).files]
            for (name, _data), end in zip(some, ends, strict=True):
                assert end == ("duplicate" if handed_in[name] else "accepted")
                handed_in[name] += 1
                if end == "accepted":
                    waiting.add(name)

        def close(meanwhile):
            ours, coming = set(waiting), list(meanwhile)
            waiting.clear()
            report = clear(town, progress=lambda *_: take_in(coming.pop()) if coming else None)
            assert report.changed == bool(ours)
            if ours:
                assert report.count("accepted") == sum(len(costs[name]) for name in ours)
                assert report.amount_fen == sum(sum(costs[name]) for name in ours)
            for name in ours:
                counted[name] += 1

        for moment in story:
            if isinstance(moment, tuple):
                take_in(moment)
            else:
                close(moment)
        take_in((range(len(files)), 400))
        close([])
        close([])
        assert counted == Counter(dict.fromkeys(costs, 1))
        seen, accepted_fen = outcomes(town)
        assert set(seen.values()) == {1}
        assert len(seen) == sum(map(len, costs.values()))
        assert accepted_fen == sum(map(sum, costs.values()))
        with reading(town.engine) as conn:
            assert town.ledger.balance_fen(conn, "control/window") == 0
            assert town.ledger.audit(conn) == []
        town.engine.dispose()
