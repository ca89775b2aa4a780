"""Events come to the plugins after the commit, in order, at least once, whatever one of them does."""

from __future__ import annotations

import pytest

from citycard.clearing.events import RUN_CLOSED, RunClosed
from citycard.store import publish, reading, undelivered, writing


def put(city, topic, *bodies):
    with writing(city.engine) as conn:
        publish(conn, topic, bodies)


def waiting(city):
    with reading(city.engine) as conn:
        return [message.topic for message in undelivered(conn)]


def test_events_are_told_in_order_and_once(city, yard, parked):
    put(city, parked.topic, *({**parked.body, "asn": str(n)} for n in range(5)))

    assert (city.deliver(), city.deliver()) == (5, 0)

    assert [event.body.asn for event in yard.heard] == ["0", "1", "2", "3", "4"]
    assert waiting(city) == []


def test_a_body_becomes_the_record_that_was_declared(city, yard, parked):
    put(city, parked.topic, {**parked.body, "colour": "added by a newer version"})

    city.deliver()

    assert yard.heard[0].body == parked.record


def test_the_core_tells_what_it_does(city, yard):
    put(city, RUN_CLOSED, {"run": 7, "records": 3, "settled_fen": 600})

    city.deliver()

    assert (yard.heard[0].name, yard.heard[0].body) == (
        RUN_CLOSED,
        RunClosed(run=7, records=3, settled_fen=600),
    )


def test_only_so_many_are_told_at_a_time(city, yard, parked):
    put(city, parked.topic, parked.body, parked.body, parked.body)

    assert [city.deliver(2), city.deliver(2), city.deliver(2)] == [2, 1, 0]


def test_an_observer_that_raises_keeps_nobody_from_hearing(city, yard, parked):
    city.plugins.enable("loud", by="a test")
    put(city, parked.topic, parked.body, parked.body)

    assert city.deliver() == 2

    assert len(yard.heard) == 2
    assert city.plugins.report("loud").failures == 2


def test_an_event_of_a_plugin_that_is_off_waits_and_holds_nothing_up(city, yard, parked):
    put(city, parked.topic, parked.body)
    put(city, RUN_CLOSED, {"run": 1, "records": 0, "settled_fen": 0})
    city.plugins.disable("yard", by="a test")

    assert (city.deliver(), waiting(city)) == (1, [parked.topic])

    city.plugins.enable("yard", by="a test")
    assert (city.deliver(), [event.body for event in yard.heard]) == (1, [parked.record])


@pytest.mark.parametrize("body", [{}, {"asn": "1", "at": "noon", "day": "today"}])
def test_a_body_that_does_not_fit_is_given_up_and_logged(city, yard, parked, caplog, body):
    put(city, parked.topic, body, parked.body)

    assert city.deliver() == 2

    assert [event.body for event in yard.heard] == [parked.record]
    assert "yard.bicycle-parked" in caplog.text


def test_an_event_that_is_told_again_is_the_same_event(city, yard, parked, monkeypatch):
    put(city, parked.topic, parked.body)
    with monkeypatch.context() as patched:
        # The process dies between telling and marking.
        patched.setattr("citycard.store.outbox.mark_delivered", lambda *_, **__: None)
        city.deliver(1)
    city.deliver()

    first, second = yard.heard
    assert first == second
