"""Who watches the readers hears of everything, also of a service that died meanwhile."""

from __future__ import annotations

import pytest

from citycard.pcsc import ReaderWatch


@pytest.fixture
def watch(pcscd):
    with ReaderWatch(interval=0.05) as one:
        for _ in pcscd.slots:
            assert one.next(10).kind == "reader-added"
        yield one


def kinds(watch, count):
    return [event.kind if event else None for event in (watch.next(15) for _ in range(count))]


def test_a_card_that_comes_and_goes_is_two_events(watch, offered, card, pcscd):
    slot = offered(card)
    event = watch.next(10)
    assert (event.kind, event.reader, event.atr) == ("card-inserted", pcscd.slots[0].reader, card.atr)
    slot.remove()

    assert kinds(watch, 1) == ["card-removed"]


def test_the_loop_outlives_the_service(watch, pcscd):
    readers = len(pcscd.slots)
    pcscd.stop(kill=True)
    assert kinds(watch, readers + 1) == ["reader-removed"] * readers + ["service-lost"]
    pcscd.start()

    assert kinds(watch, readers + 1) == ["service-back"] + ["reader-added"] * readers
