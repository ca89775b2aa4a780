from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from citycard.clearing import queries
from citycard.clearing.codes import FileState
from citycard.clearing.context import Share
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.status import status
from citycard.errors import ArchiveDamaged

AT = datetime.fromisoformat("2018-09-01T07:00")


@pytest.fixture
def day(town):
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.shares[2] = (Share(partner="metro"), Share(partner="bus"))
    for minute, amount, service in ((0, 200, 1), (10, 300, 2), (20, 400, 1)):
        town.tap(card, amount, AT + timedelta(minutes=minute), service=service)
    receive(town, [town.batch()])
    clear(town)
    town.tap(card, 250, AT + timedelta(days=1))
    receive(town, [town.batch(day=AT.date() + timedelta(days=1))])
    clear(town)
    return town


def test_taps_are_counted_in_intervals_of_a_day(day):
    rows = queries.taps_per_interval(day, AT.date(), minutes=15)
    assert [(AT, 2, 500), (AT + timedelta(minutes=15), 1, 400)] == [
        (row.at, row.taps, row.amount_fen) for row in rows
    ]


def test_payees_services_and_codes_are_summed(day):
    assert [(row.partner, row.service, row.amount_fen) for row in queries.payee_totals(day)] == [
        ("bus", 2, 150),
        ("metro", 1, 850),
        ("metro", 2, 150),
    ]
    assert [(row.service, row.records, row.amount_fen) for row in queries.service_totals(day, AT.date())] == [
        (1, 2, 600),
        (2, 1, 300),
    ]
    assert [(row.state, row.code, row.records, row.amount_fen) for row in queries.code_totals(day)] == [
        ("accepted", "OK", 4, 1150)
    ]


def test_prices_are_counted_by_what_was_charged(day):
    assert queries.price_histogram(day) == ((200, 2), (300, 1), (400, 1))


def test_business_dates_are_listed(day):
    assert (AT.date(), AT.date() + timedelta(days=1)) == queries.business_dates(day)


def test_a_card_shows_its_taps_newest_first_over_all_runs(day):
    (asn,) = day.cards
    taps = queries.card_taps(day, asn)
    assert [(tap.run, tap.counter, tap.balance_after_fen) for tap in taps] == [
        (2, 3, 8850),
        (1, 2, 9100),
        (1, 1, 9500),
        (1, 0, 9800),
    ]
    assert [tap.partners for tap in taps[2:]] == [("bus", "metro"), ("metro",)]
    assert taps[:2] == queries.card_taps(day, asn, limit=2)


def test_a_city_without_a_run_answers_with_nothing(town):
    assert queries.taps_per_interval(town) == ()
    assert queries.business_dates(town) == ()


def test_status_says_what_came_in_and_what_waits(town):
    (card,) = town.issue(1)
    town.tap(card, 0, AT)
    receive(town, [town.batch(), ("odd", b"odd")])
    now = status(town)
    assert (now.last_run, now.open_run, now.waiting_records) == (0, None, 1)
    assert [(one.state, one.code, one.files) for one in now.files] == [
        (FileState.ACCEPTED, "OK", 1),
        (FileState.QUARANTINED, "F07", 1),
    ]
    clear(town)
    assert (status(town).last_run, status(town).waiting_records) == (1, 0)


def test_a_folder_whose_name_looks_like_a_pattern_reads_its_own_files_alone(towns_of, tmp_path):
    for name in ("a*", "ab"):
        town = towns_of(tmp_path / name)
        (card,) = town.issue(1)
        town.load(card, 5000)
        town.tap(card, 200, AT)
        receive(town, [town.batch()])
        clear(town)
        town.engine.dispose()
    town = type(town)(tmp_path / "a*")
    assert [total.records for total in queries.code_totals(town)] == [1]
    town.engine.dispose()


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_outcomes_that_are_damaged_are_named(day, spoil):
    (path, *_) = sorted((day.folder / "outcomes").rglob("*.parquet"))
    spoil(path)
    with pytest.raises(ArchiveDamaged, match=path.name):
        queries.service_totals(day)


def test_the_codes_of_the_store_add_up_to_those_of_the_report(town):
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.tap(card, 200, AT)
    town.tap(card, 300, AT + timedelta(minutes=9), tac=b"\1\2\3\4")
    receive(town, [town.batch()])
    report = clear(town)
    assert {total.code for total in report.totals} == {"OK", "T01"}
    assert [(t.state, t.code, t.records, t.amount_fen) for t in report.totals] == [
        (t.state, t.code, t.records, t.amount_fen) for t in queries.code_totals(town)
    ]
