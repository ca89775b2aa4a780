"""Tell the plugins what happened, once it was committed: from the outbox, in order, each at least once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from citycard.clearing.events import RUN_CLOSED, RunClosed
from citycard.errors import EventUnknown

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.store.outbox import Message

__all__ = ["CORE_EVENTS", "deliver"]

#: What the core itself tells, with the class of each body.
CORE_EVENTS: Mapping[str, type] = {RUN_CLOSED: RunClosed}

_LEASE = "citycard.deliver"
_PIECE = 100
_log = logging.getLogger("citycard.events")


def deliver(city: City, limit: int = 1000) -> int:
    """Tell the plugins at most ``limit`` events that wait, oldest first, and return how many were told.

    What an observer raises is counted and logged, and the others hear the event all the same. Events of a
    plugin that is off wait until it is on again, and hold nothing up. Only one process delivers at a time;
    one that dies in between leaves events that are told again.
    """
    if not _waiting(city, 1):
        return 0
    from citycard.city.leases import leased

    told = 0
    with leased(city, _LEASE) as mine:
        while mine and told < limit:
            messages = _waiting(city, min(_PIECE, limit - told))
            if not messages:
                break
            _tell_all(city, messages)
            told += len(messages)
    return told


def _waiting(city: City, limit: int) -> list[Message]:
    from citycard.store import reading, undelivered

    topics = {*CORE_EVENTS, *(owned.record.name for owned in city.plugins.event_types())}
    with reading(city.engine) as conn:
        return undelivered(conn, limit=limit, topics=sorted(topics))


def _tell_all(city: City, messages: list[Message]) -> None:
    from citycard.store import mark_delivered, writing

    told: list[Message] = []
    try:
        for message in messages:
            _tell(city, message)
            told.append(message)
    finally:
        with writing(city.engine) as conn:
            mark_delivered(conn, told, at=city.clock.now())


def _tell(city: City, message: Message) -> None:
    from citycard.ids import derived_id
    from citycard.kernel.bodies import read_body
    from citycard.kernel.data import Event

    body = CORE_EVENTS.get(message.topic) or _class_of(city, message.topic)
    if body is None:
        return  # its plugin was switched off a moment ago
    try:
        event = Event(
            name=message.topic,
            body=read_body(message.topic, message.body, body),
            # The same again when it is told again, so that an observer can know it.
            id=derived_id("event", message.seq),
            at=message.published_at,
        )
        city.plugins.tell(event)
    except EventUnknown as error:
        # Told again it would fail again: it is given up, and stays in the outbox to be looked at.
        _log.error("event %s of the outbox: %s", message.seq, error)


def _class_of(city: City, topic: str) -> type | None:
    return next(
        (owned.record.body for owned in city.plugins.event_types() if owned.record.name == topic), None
    )
