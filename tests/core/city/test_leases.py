"""A job has one runner at a time, and a runner that died holds nobody up for long."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import update

from citycard.city.leases import job_runs, leased
from citycard.errors import ProductUnknown
from citycard.kernel.tables import job_run
from citycard.store import writing


def test_while_one_runs_it_nobody_else_does(city, other):
    with leased(city, "yard.sweep") as first:
        with leased(other, "yard.sweep") as second:
            assert (first, second) == (True, False)
        assert job_runs(other)["yard.sweep"].runs(city.clock.now())

    run = job_runs(city)["yard.sweep"]
    assert (run.outcome, run.started_at, run.finished_at) == ("done", city.clock.now(), city.clock.now())
    with leased(other, "yard.sweep") as third:
        assert third


def test_of_many_that_ask_at_once_one_gets_it(city, other):
    together = Barrier(4)

    def ask(which):
        together.wait()
        with leased(which, "yard.sweep") as mine:
            together.wait()
            return mine

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, [city, other, city, other])) == [False, False, False, True]


def test_a_turn_that_somebody_took_is_not_taken_again(city, other, clock):
    hour_ago = clock.now() - timedelta(hours=1)
    with leased(city, "yard.sweep", unless_since=hour_ago) as mine:
        assert mine
    with leased(other, "yard.sweep", unless_since=hour_ago) as mine:
        assert not mine


def test_what_is_raised_is_the_outcome(city):
    with pytest.raises(ProductUnknown), leased(city, "yard.sweep"):
        raise ProductUnknown(product="x", known="none")

    assert job_runs(city)["yard.sweep"].outcome == "there is no card product 'x': expected one of none"


def test_an_interruption_is_the_outcome(city):
    with pytest.raises(KeyboardInterrupt), leased(city, "yard.sweep"):
        raise KeyboardInterrupt

    assert job_runs(city)["yard.sweep"].outcome == "interrupted by KeyboardInterrupt"


def test_the_job_of_a_runner_that_died_is_free_after_a_minute(city, other, clock):
    with leased(city, "yard.sweep"):
        pass
    with writing(city.engine) as conn:
        died = {"finished_at": None, "leased_until": clock.now() + timedelta(minutes=1)}
        conn.execute(update(job_run).values(died))

    with leased(other, "yard.sweep") as at_once:
        assert not at_once
    clock.moment += timedelta(minutes=1)
    with leased(other, "yard.sweep") as later:
        assert later


def test_a_runner_that_lives_keeps_its_lease(city, clock, monkeypatch):
    monkeypatch.setattr("citycard.city.leases._RENEW_S", 0.01)
    with leased(city, "yard.sweep"):
        before = job_runs(city)["yard.sweep"].leased_until
        clock.moment += timedelta(minutes=2)
        while job_runs(city)["yard.sweep"].leased_until == before:
            pass
        assert job_runs(city)["yard.sweep"].runs(clock.now())
