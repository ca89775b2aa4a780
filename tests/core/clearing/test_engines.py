"""Whatever judges the buckets of a run, the same comes of it: digest, postings, and the files by name."""

from __future__ import annotations

import importlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select, tuple_

from citycard.clearing.columns import BUCKETS, bucket_of
from citycard.clearing.context import Share
from citycard.clearing.engines import engine_of
from citycard.clearing.files import read_tables
from citycard.clearing.intake import receive
from citycard.clearing.queries import cleared
from citycard.clearing.run import clear
from citycard.clearing.spent import spent_fen
from citycard.clearing.tables import clearing_part, clearing_run
from citycard.errors import EngineUnknown, SparkUnreachable, WorkerDied, WorkerDiffers
from citycard.ledger.tables import transfer
from citycard.store import reading

HERE = Path(__file__).parent
SATURDAY = datetime.fromisoformat("2018-09-01T07:00")
SUNDAY = datetime.fromisoformat("2018-09-02T07:00")
GATE, BUS = "344000000001", "344000000003"
TAC_OFFSET_SPOILT = {"tac": b"\1\2\3\4"}
SHARED_SERVICE = 2
SHARES = {SHARED_SERVICE: (Share(partner="metro", weight=2), Share(partner="bus"))}
KILLED = -signal.SIGKILL


@pytest.fixture
def town_worker(monkeypatch):
    """Give what opens a town for judging, which other processes can import as well."""
    monkeypatch.syspath_prepend(str(HERE))
    paths = [str(HERE), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    return importlib.import_module("town_worker")


@pytest.fixture
def open_copy(town, town_worker, tmp_path):
    """Play two odd days, of which the first is cleared, and return what opens copies of that town."""
    play_saturday(town)
    clear(town)
    play_sunday(town)
    town.engine.dispose()
    opened = []

    def opening(name, **worker):
        folder = tmp_path / name
        shutil.copytree(town.folder, folder)
        copy = town_worker.load_town(folder)
        copy.shares.update(SHARES)
        copy.worker = partial(town_worker.TownWorker, folder, SHARES, **worker)
        opened.append(copy)
        return copy

    yield opening
    for one in opened:
        one.engine.dispose()


def play_saturday(town):
    """Twelve cards ride, so that most buckets have some; one counter is not handed in yet."""
    town.shares.update(SHARES)
    for card in town.issue(*range(1, 13)):
        town.load(card, 10_000)
        for minute in range(3):
            town.tap(card, 200 + minute, SATURDAY + timedelta(minutes=minute), service=1 + minute % 2)
        town.tap(card, 300, SATURDAY + timedelta(hours=1), BUS)
    town.late = town.tap(card, 250, SATURDAY + timedelta(hours=2), keep=False)
    town.tap(card, 260, SATURDAY + timedelta(hours=3))
    receive(town, [town.batch(), town.batch(BUS)])


def play_sunday(town):
    """Everything that can be wrong with a record, over all cards."""
    sunday = date(2018, 9, 2)
    cards = list(town.cards.values())
    for card in cards:
        town.tap(card, 200, SUNDAY)
    again = town.tap(cards[0], 210, SUNDAY + timedelta(minutes=1))
    town.terminals[GATE].records.append(again)
    town.tap(cards[1], 220, SUNDAY + timedelta(minutes=2), **TAC_OFFSET_SPOILT)
    town.tap(cards[2], 230, SUNDAY + timedelta(minutes=3), issuer="0101999900FFFFFF")
    town.tap(cards[3], 240, SUNDAY + timedelta(minutes=4), list_price_fen=500)
    town.tap(cards[4], 240, SUNDAY + timedelta(minutes=5), keep=False)
    town.tap(cards[4], 240, SUNDAY + timedelta(minutes=6))
    town.tap(cards[5], 250, SUNDAY + timedelta(minutes=7), spoil={0: 0xFF})
    town.tap(cards[6], 260, SUNDAY + timedelta(minutes=8), counter=0)
    town.terminals[GATE].records.append(town.late)
    receive(town, [town.batch(day=sunday)])


def come_to(town):
    """Say everything that a run left behind: its report, the postings in their order, the files by name."""
    report = clear(town)
    assert not report.changed
    with reading(town.engine) as conn:
        rows = conn.execute(select(transfer).order_by(transfer.c.posted_seq)).mappings().all()
        assert town.ledger.audit(conn) == []
        assert town.ledger.balance_fen(conn, "control/window") == 0
    names = sorted(str(path.relative_to(town.folder)) for path in town.folder.rglob("*.parquet"))
    return report.stored() | {"engine": ""}, [dict(row) for row in rows], names


def open_runs(town):
    with reading(town.engine) as conn:
        return conn.scalars(select(clearing_run.c.number).where(clearing_run.c.state == "open")).all()


def test_the_same_comes_of_it_in_this_process_and_in_a_pool(open_copy):
    told = []
    here, pool = open_copy("here"), open_copy("pool")
    assert clear(here).engine == "local"
    done = clear(pool, engine="pool:2", progress=lambda *counts: told.append(counts))
    assert done.engine == "pool:2"
    assert come_to(here) == come_to(pool)
    codes = {total.code for total in done.totals}
    assert codes >= {"OK", "D01", "D02", "T01", "R01", "R02", "C01", "P01", "L01"}
    buckets = told[0][1]
    assert told == [(one, buckets) for one in range(1, buckets + 1)]
    assert buckets > 5


@pytest.mark.parametrize("engine", ["local", "pool:2"])
def test_the_same_comes_of_a_run_that_is_judged_piece_by_piece(town, open_copy, engine):
    whole, cut = open_copy("whole"), open_copy("cut")
    before, told = clear(whole), []
    done = clear(cut, engine=engine, most=1, progress=lambda *counts: told.append(counts))
    assert amounts(done) == amounts(before)
    assert outcomes(cut) == outcomes(whole)
    for card in town.cards.values():
        town.tap(card, 200, SUNDAY + timedelta(days=1))
    monday = town.batch(day=date(2018, 9, 3))
    for one in (cut, whole):
        receive(one, [monday])
        clear(one, most=1 if one is whole else 100)
    assert outcomes(cut) == outcomes(whole)
    cards = list(town.cards)
    with reading(cut.engine) as conn:
        shares = conn.execute(select(clearing_part.c.run, clearing_part.c.share)).all()
        spent = spent_fen(cut.folder, conn, cards)
    with reading(whole.engine) as conn:
        assert spent == spent_fen(whole.folder, conn, cards)
    assert told[-1] == (len([run for run, _ in shares if run == 2]),) * 2
    assert [max(share for run, share in shares if run == one) >= BUCKETS for one in (1, 2, 3)] == [
        False,
        True,
        False,
    ]


def test_cards_of_which_nothing_is_new_stay_as_they_are_when_their_bucket_is_judged_in_pieces(town):
    cards = town.issue(*range(1, 200))
    for card in cards:
        town.load(card, 10_000)
        town.tap(card, 200, SATURDAY)
    receive(town, [town.batch()])
    clear(town)
    before = {one["asn"]: one for one in outcomes(town)[1]}
    rider = cards[0]
    for minute in range(16):
        town.tap(rider, 200, SUNDAY + timedelta(minutes=minute))
    receive(town, [town.batch(day=date(2018, 9, 2))])
    clear(town, most=1)
    with reading(town.engine) as conn:
        shares = conn.scalars(select(clearing_part.c.share).where(clearing_part.c.run == 2)).all()
        spent = spent_fen(town.folder, conn, [card.asn for card in cards])
    assert sorted(shares) == [bucket_of(rider.asn) + BUCKETS * slice_no for slice_no in range(16)]
    after = {one["asn"]: one for one in outcomes(town)[1]}
    changed = {asn for asn in before | after if before.get(asn) != after.get(asn)}
    assert changed == {rider.asn}
    assert spent == {card.asn: 200 for card in cards} | {rider.asn: 17 * 200}


def amounts(report):
    return report.totals, report.notes, report.partners, report.price_difference_fen


def outcomes(town):
    """Say of each record where it ended, and of each card where it stands."""
    with reading(town.engine) as conn:
        with cleared(town, conn, None, None) as engine:
            ended = engine.execute("SELECT * EXCLUDE (parts), parts FROM outcomes ORDER BY ALL").fetchall()
        assert town.ledger.audit(conn) == []
        bucket = clearing_part.c.share % BUCKETS
        last = select(bucket.label("bucket"), func.max(clearing_part.c.run).label("run")).group_by(bucket)
        newest = tuple_(bucket, clearing_part.c.run).in_(last)
        paths = conn.scalars(select(clearing_part.c.cards).where(newest)).all()
    return ended, read_tables(town.folder, paths).sort_by("asn").to_pylist()


def test_a_pool_of_which_a_process_is_killed_says_so_and_the_run_can_be_run_again(open_copy, tmp_path):
    here = open_copy("here")
    clear(here)
    town = open_copy("killed", dies_once=tmp_path / "died")
    with pytest.raises(WorkerDied, match="pool:2 was killed"):
        clear(town, engine="pool:2")
    assert open_runs(town) == [2]
    assert clear(town, engine="pool:2").changed
    assert come_to(here) == come_to(town)


def test_a_worker_with_other_rules_refuses_the_work(open_copy):
    town = open_copy("other", rules_version="rules-2")
    with pytest.raises(WorkerDiffers, match="other rules than this machine") as refused:
        clear(town, engine="pool:1")
    assert (refused.value.exit_code, refused.value.data["theirs"]) == (5, "rules-2")
    assert open_runs(town) == [2]


def test_a_run_on_a_pool_that_is_killed_at_any_point_is_finished_in_this_process(
    open_copy, town_worker, monkeypatch
):
    here = open_copy("here")
    clear(here)
    expected = come_to(here)
    mark = uuid4().hex
    monkeypatch.setenv("CITYCARD_TEST_MARK", mark)
    draw = random.Random(5)
    for buckets in (1, 4, 8):
        town = open_copy(f"after-{buckets}")
        killed = start(town, buckets)
        assert killed.wait(timeout=120) == KILLED
        assert open_runs(town) == [2]
        clear(town)
        assert come_to(town) == expected
    for attempt in range(3):
        town = open_copy(f"at-{attempt}")
        killed = start(town, 1000)
        time.sleep(draw.uniform(0.5, 5.0))
        killed.kill()
        killed.wait(timeout=120)
        clear(town)
        assert come_to(town) == expected
    assert ended(mark)


def start(town, buckets):
    town.engine.dispose()
    child = [sys.executable, str(HERE / "engine_child.py"), str(town.folder), "pool:2", str(buckets)]
    return subprocess.Popen(child, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})


def ended(mark, within_s=30.0):
    """Wait until no other process has the mark in its environment."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not any(has(mark, folder) for folder in Path("/proc").glob("[0-9]*")):
            return True
        time.sleep(0.1)
    return False


def has(mark, folder):
    try:
        return mark.encode() in (folder / "environ").read_bytes() and int(folder.name) != os.getpid()
    except OSError:
        return False


@pytest.mark.parametrize("name", ["", "pools", "pool:0", "pool:", "spark", "spark://host", "local[2]"])
def test_an_engine_that_nobody_knows_is_told_with_those_there_are(name):
    with pytest.raises(EngineUnknown, match="expected local, pool, pool:N") as unknown:
        engine_of(name)
    assert unknown.value.exit_code == 2


@pytest.mark.parametrize("name", ["local", "pool:3", "spark://one:7077,two:7077", "spark-local:2"])
def test_an_engine_is_called_by_its_name(name):
    assert engine_of(name).name == name


def test_a_pool_without_a_number_has_as_many_processes_as_there_are_cores():
    assert engine_of("pool").name == f"pool:{len(os.sched_getaffinity(0))}"


def test_a_spark_master_that_nobody_is_leaves_the_run_open(open_copy):
    with socket.socket() as bound:
        # Bound and not listening: whoever knocks is refused.
        bound.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{bound.getsockname()[1]}"
        town = open_copy("unreachable")
        with pytest.raises(SparkUnreachable, match=f"no Spark master answers at {master}") as unreachable:
            clear(town, engine=master)
    assert unreachable.value.exit_code == 4
    assert open_runs(town) == [2]


def test_the_same_comes_of_it_on_a_spark_cluster_of_which_a_worker_is_killed(
    open_copy, spark_cluster, tmp_path
):
    here, spark = open_copy("here"), open_copy("spark", dies_once=tmp_path / "died")
    clear(here)
    assert clear(spark, engine=spark_cluster).engine == spark_cluster
    assert (tmp_path / "died").exists()
    assert come_to(here) == come_to(spark)


def test_what_a_worker_of_a_spark_cluster_refuses_is_told_as_anywhere_else(open_copy, spark_cluster):
    town = open_copy("other", rules_version="rules-2")
    with pytest.raises(WorkerDiffers, match="other rules than this machine"):
        clear(town, engine=spark_cluster)
    assert open_runs(town) == [2]
    clear(town)
