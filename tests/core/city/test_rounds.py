"""A server goes round the city: events are told, jobs run, and trouble in one thing stops nothing else."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import text

from citycard import registry
from citycard.city.jobs import jobs
from citycard.city.rounds import Rounds
from citycard.store import publish, reading, writing

SECONDS_MOST = 10


def put(city, parked):
    with writing(city.engine) as conn:
        publish(conn, parked.topic, [parked.body])


def until(true):
    end = time.monotonic() + SECONDS_MOST
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    assert true()


def test_a_round_tells_events_and_runs_what_is_due(city, yard, parked):
    put(city, parked)
    rounds = Rounds(city)

    rounds.once()
    rounds.wait()

    assert (len(yard.heard), yard.swept) == (1, ["yard"])


def test_it_goes_round_by_itself_and_ends(city, yard, parked):
    rounds = Rounds(city, every_s=0.01)
    with rounds.going():
        until(lambda: yard.swept)
        put(city, parked)
        until(lambda: yard.heard)
    heard = len(yard.heard)

    put(city, parked)
    time.sleep(0.05)

    assert len(yard.heard) == heard


def test_a_plugin_that_is_enabled_elsewhere_is_opened(city, other):
    with writing(city.engine) as conn:
        conn.execute(text("DELETE FROM partner"))
    other.plugins.disable("yard", by="a test")
    other.plugins.enable("yard", by="a test")

    city.plugins.refresh()
    rounds = Rounds(city)
    rounds.once()
    rounds.wait()

    with reading(city.engine) as conn:
        assert [each.id for each in registry.partners(conn)] == ["yard"]


def test_a_slow_job_holds_nothing_up_and_is_not_begun_twice(city, yard, parked, clock):
    ended = Event()
    yard.doing.append(lambda _: ended.wait(SECONDS_MOST))
    put(city, parked)
    rounds = Rounds(city)

    rounds.once()
    until(lambda: yard.heard and yard.swept)
    clock.moment += timedelta(hours=2)
    rounds.once()
    ended.set()
    rounds.wait()

    assert yard.swept == ["yard"]


def test_a_plugin_that_raises_stops_nothing(city, yard, parked, caplog):
    city.plugins.enable("loud", by="a test")
    put(city, parked)
    rounds = Rounds(city)

    for _ in range(3):
        rounds.once()
        rounds.wait()

    assert (len(yard.heard), yard.swept) == (1, ["yard"])
    outcomes = {each.job: each.last.outcome for each in jobs(city)}
    assert outcomes["yard.sweep"] == "done"
    assert outcomes["loud.shout"].endswith("RuntimeError: so loud")
    # Its partner cannot be opened; that is said once for each switching, not every second.
    assert caplog.text.count("opening what plugins declare") == 1


def test_a_store_that_is_behind_is_said_once_and_asked_again(city, yard, caplog):
    with writing(city.engine) as conn:
        conn.execute(text("ALTER TABLE job_run RENAME TO job_ran"))
    rounds = Rounds(city)
    for _ in range(3):
        rounds.once()
        rounds.wait()
    with writing(city.engine) as conn:
        conn.execute(text("ALTER TABLE job_ran RENAME TO job_run"))

    rounds.once()
    rounds.wait()

    assert caplog.text.count("looking for jobs") == 1
    assert yard.swept == ["yard"]


def test_what_raises_in_the_block_is_passed_on(city):
    with pytest.raises(KeyError), Rounds(city, every_s=0.01).going():
        raise KeyError
