from __future__ import annotations

import pytest

from citycard.errors import TooManyAttempts
from citycard.web.limits import Attempts


class Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


def attempts(clock, **changes):
    return Attempts(clock=clock, **({"allowed": 3, "span_s": 60} | changes))


def test_the_failures_allowed_are_let_through_and_the_next_one_is_told_to_wait():
    clock = Clock()
    limit = attempts(clock)
    for _ in range(3):
        limit.check("10.0.0.1")
        limit.failed("10.0.0.1")
        clock.now_s += 10
    with pytest.raises(TooManyAttempts) as refused:
        limit.check("10.0.0.1")
    assert refused.value.data == {"wait_s": 30}


def test_another_address_is_not_punished():
    limit = attempts(Clock(), allowed=1)
    limit.failed("10.0.0.1")
    limit.check("10.0.0.2")


def test_failures_are_forgotten_after_their_span():
    clock = Clock()
    limit = attempts(clock, allowed=1)
    limit.failed("10.0.0.1")
    clock.now_s += 60
    limit.check("10.0.0.1")


def test_memory_is_bounded_by_forgetting_the_address_seen_least_recently():
    limit = attempts(Clock(), allowed=1, remembered=2)
    for address in ("a", "b", "c"):
        limit.failed(address)
    limit.check("a")
    for address in ("b", "c"):
        with pytest.raises(TooManyAttempts):
            limit.check(address)
