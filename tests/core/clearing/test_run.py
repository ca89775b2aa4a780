"""Clearing a small day end to end."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from citycard.clearing.codes import State
from citycard.clearing.context import Share
from citycard.clearing.intake import receive
from citycard.clearing.queries import payee_totals
from citycard.clearing.run import clear, last_report
from citycard.clearing.tables import clearing_clock, clearing_run
from citycard.store import reading, writing

MORNING = datetime.fromisoformat("2018-09-01T07:00")


def test_what_is_tapped_is_posted_settled_and_written_to_the_bank(town):
    card, other = town.issue(1, 2)
    town.load(card, 5000)
    town.load(other, 5000)
    town.tap(card, 200, MORNING)
    town.tap(card, 300, MORNING + timedelta(minutes=40), "344000000003")
    town.tap(other, 500, MORNING + timedelta(minutes=5))
    report = receive(town, [town.batch(), town.batch("344000000003")])
    assert [report.count("accepted"), report.records, report.amount_fen] == [2, 3, 1000]
    done = clear(town)
    assert (done.count(State.ACCEPTED), done.gross_fen, done.changed) == (3, 1000, True)
    assert [(one.partner, one.gross_fen, one.fee_fen, one.paid_fen) for one in done.partners] == [
        ("bus", 300, 1, 299),
        ("metro", 700, 4, 696),
    ]
    with reading(town.engine) as conn:
        assert town.ledger.balance_fen(conn, "control/window") == 0
        assert town.ledger.balance_fen(conn, "cards/spent") == -1000
        assert town.ledger.balance_fen(conn, "income/clearing-fee") == 5
        assert town.ledger.balance_fen(conn, "transit/settlement") == -995
    assert (town.purse_fen(card), town.purse_fen(other)) == (4500, 4500)
    assert (town.folder / done.bank_file).exists()


def test_running_again_changes_nothing_and_says_so(town):
    (card,) = town.issue(1)
    town.load(card, 5000)
    town.tap(card, 200, MORNING)
    receive(town, [town.batch()])
    first = clear(town)
    again = clear(town)
    assert (first.changed, again.changed) == (True, False)
    assert first.as_json() | {"changed": False} == again.as_json()


@pytest.mark.postgresql
def test_a_day_comes_to_the_same_in_postgresql(town, tmp_path, postgresql_server, migrated_postgresql):
    other = type(town)(tmp_path / "other", postgresql_server.create_database(template=migrated_postgresql))
    digests = []
    for place in (town, other.found()):
        (card,) = place.issue(1)
        place.load(card, 5000)
        for minute in range(5):
            place.tap(card, 200 + minute, MORNING + timedelta(minutes=minute), keep=minute != 2)
        place.tap(card, 300, MORNING + timedelta(hours=1), tac=b"\1\2\3\4")
        receive(place, [place.batch(), ("odd", b"odd")])
        report = clear(place)
        assert not clear(place).changed
        digests.append((report.digest, report.totals, report.partners, report.notes))
        with reading(place.engine) as conn:
            assert place.ledger.audit(conn) == []
        place.engine.dispose()
    assert digests[0] == digests[1]


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_the_order_of_files_and_of_records_changes_nothing(towns_of, data):
    found, digests = [], []
    minutes = data.draw(st.lists(st.integers(0, 99), unique=True, min_size=8, max_size=8))
    for order in (range(8), data.draw(st.permutations(range(8)))):
        with tempfile.TemporaryDirectory() as folder:
            town = towns_of(Path(folder))
            cards = town.issue(1, 2)
            for card in cards:
                town.load(card, 5000)
            raws = []
            for number, minute in enumerate(sorted(minutes)):
                forged = {"tac": b"\1\2\3\4"} if number == 3 else {}
                at = MORNING + timedelta(minutes=minute)
                raws.append(town.tap(cards[number % 2], 200 + number, at, keep=False, **forged))
            dealt = [[raws[place] for place in order[first : first + 2]] for first in range(0, 8, 2)]
            files = [town.batch(records=records) for records in dealt]
            digests.append(set())
            for number, turn in enumerate((range(4), data.draw(st.permutations(range(4))))):
                copy = town.copied(Path(folder) / f"copy-{number}")
                for place in turn:
                    receive(copy, [files[place]])
                report = clear(copy)
                digests[-1].add(report.digest)
                found.append((report.totals, report.partners, [copy.purse_fen(card) for card in cards]))
                copy.engine.dispose()
    assert found == [found[0]] * 4
    assert [len(one) for one in digests] == [1, 1]


def test_what_arrives_while_a_run_is_open_waits_for_the_next_one(town):
    (card,) = town.issue(1)
    town.load(card, 5000)
    town.tap(card, 200, MORNING)
    receive(town, [town.batch()])
    rate, town.rate = town.rate, None

    def interrupted(record):
        raise KeyboardInterrupt

    town.rate = interrupted
    with pytest.raises(KeyboardInterrupt):
        clear(town)
    town.rate = rate
    town.tap(card, 300, MORNING)
    receive(town, [town.batch()])
    assert (clear(town).number, last_report(town).records, last_report(town).amount_fen) == (1, 1, 200)
    assert (clear(town).number, last_report(town).amount_fen) == (2, 300)


def test_a_bank_instruction_that_a_crash_left_out_is_written_although_more_came_in_meanwhile(town):
    (card,) = town.issue(1)
    town.load(card, 5000)
    town.tap(card, 200, MORNING)
    receive(town, [town.batch()])
    lost = town.folder / clear(town).bank_file
    told = lost.read_bytes()
    lost.unlink()
    town.tap(card, 300, MORNING + timedelta(minutes=9))
    receive(town, [town.batch()])
    assert clear(town).number == 2
    assert lost.read_bytes() == told


def test_a_second_process_that_comes_too_late_leaves_what_the_first_one_wrote(town):
    """Two processes judge one run, and the second under other rules: what is posted is what can be read."""
    (card,) = town.issue(1)
    town.load(card, 5000)
    town.tap(card, 200, MORNING)
    receive(town, [town.batch()])
    first = type(town)(town.folder)
    rate = town.rate

    def late(record):
        clear(first)
        return attrs.evolve(rate(record), shares=(Share(partner="bus"),))

    town.rate = late
    report = clear(town)
    assert [(one.partner, one.gross_fen) for one in report.partners] == [("metro", 200)]
    assert [(one.partner, one.amount_fen) for one in payee_totals(town)] == [("metro", 200)]
    first.engine.dispose()


@pytest.mark.postgresql
def test_two_processes_that_clear_at_once_open_one_run(
    town, tmp_path, postgresql_server, migrated_postgresql
):
    url = postgresql_server.create_database(template=migrated_postgresql)
    place = type(town)(tmp_path / "other", url).found()
    (card,) = place.issue(1)
    place.load(card, 5000)
    for minute in (0, 5):
        place.tap(card, 200, MORNING + timedelta(minutes=minute))
        receive(place, [place.batch()])
    with ThreadPoolExecutor() as pool:
        with writing(place.engine) as conn:
            conn.execute(select(clearing_clock).with_for_update())
            second = pool.submit(clear, place)
            time.sleep(0.5)
            run = {"number": 1, "state": "open", "from_intake": 0, "watermark": 1}
            conn.execute(insert(clearing_run), run | {"opened_at": place.clock.now()})
        assert (second.result().number, clear(place).number) == (1, 2)
    place.engine.dispose()
