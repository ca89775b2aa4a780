"""The city seals its ledger with the vault's key, and keeps outside the database which seal is the newest."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from citycard.city.jobs import jobs as jobs_of
from citycard.city.jobs import run_due, run_job
from citycard.city.sealing import (
    HEAD_NAME,
    SEALING,
    VERIFYING,
    noted_head,
    seal_city,
    seal_state,
    verify_city,
)
from citycard.errors import LedgerAltered
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Transfer
from citycard.store import writing


@pytest.fixture
def moved(city):
    """A function that moves some money, each time anew."""

    def moved():
        at = city.now_local()
        with writing(city.engine) as conn:
            city.ledger.open_accounts(
                conn, [AccountSpec(address=name, code=1001) for name in ("trust/bank", "till")]
            )
            transfer = Transfer(
                id=new_id(),
                debit_address="trust/bank",
                credit_address="till",
                amount_fen=500,
                code=10,
                event_time=at,
                business_date=at.date(),
            )
            city.ledger.post_all(conn, [transfer])

    return moved


def cut_off_seals(city):
    with writing(city.engine) as conn:
        conn.execute(text("DROP TRIGGER seal_no_delete"))
        conn.execute(text("DELETE FROM seal"))
        conn.execute(text("UPDATE account_seal SET seal = NULL"))
        conn.execute(
            text(
                "CREATE TRIGGER seal_no_delete BEFORE delete ON seal "
                "BEGIN SELECT RAISE(ABORT, 'table seal is append-only'); END"
            )
        )


def test_a_sealed_city_holds_and_its_newest_seal_is_noted_in_its_folder(city, moved):
    moved()
    (made,) = seal_city(city)
    assert json.loads((city.folder / HEAD_NAME).read_text()) == {"seal": 1, "hash": made.hash32.hex()}
    assert noted_head(city) == made.head
    assert verify_city(city).holds
    state = seal_state(city)
    assert (state.seal, state.hash, state.transfers, state.waiting) == (1, made.hash32.hex(), 1, 0)
    moved()
    assert seal_state(city).waiting == 1


def test_seals_that_are_taken_away_are_missed_also_after_new_ones_are_made(city, moved):
    moved()
    seal_city(city)
    moved()
    seal_city(city)
    cut_off_seals(city)
    assert "taken away" in verify_city(city).findings[-1].found
    seal_city(city)
    assert noted_head(city).seq == 2
    assert "taken away" in verify_city(city).findings[-1].found


def test_a_note_that_cannot_be_read_is_written_again(city, moved):
    (city.folder / HEAD_NAME).write_text("nonsense")
    assert noted_head(city) is None
    moved()
    (made,) = seal_city(city)
    assert noted_head(city) == made.head


def test_two_processes_of_one_city_make_one_chain(city, other, moved):
    moved()
    assert [len(seal_city(one)) for one in (city, other, city)] == [1, 0, 0]
    assert verify_city(other).holds


def test_the_ledger_is_sealed_every_minute_and_verified_once_a_day(city, moved, clock):
    def due(job):
        (state,) = [one for one in jobs_of(city) if one.job == job]
        return run_due(city, state) if state.due(clock.now()) else False

    moved()
    assert due(SEALING)
    assert not due(SEALING)
    clock.moment += timedelta(minutes=1)
    moved()
    assert due(SEALING)
    assert seal_state(city).seal == 2
    assert due(VERIFYING)
    assert seal_state(city).verified_at == clock.moment
    clock.moment += timedelta(hours=23)
    assert not due(VERIFYING)


def test_the_job_says_the_first_thing_that_is_wrong(city, moved):
    moved()
    run_job(city, SEALING)
    with writing(city.engine) as conn:
        conn.execute(text("UPDATE balance SET dr_posted_fen = 499 WHERE dr_posted_fen = 500"))
    with pytest.raises(LedgerAltered, match="trust/bank is 499; its transfers make 500"):
        run_job(city, VERIFYING)
    assert "trust/bank" in seal_state(city).trouble
