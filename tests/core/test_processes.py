from __future__ import annotations

import sys
import threading

import pytest

from citycard.processes import short_turns, side_by_side


def test_turns_are_as_they_were_when_the_last_of_those_who_want_them_short_has_ended():
    usual_s = sys.getswitchinterval()
    first, second = short_turns(), short_turns()
    first.__enter__()
    second.__enter__()
    short_s = sys.getswitchinterval()
    first.__exit__(None, None, None)
    assert sys.getswitchinterval() == short_s < usual_s
    second.__exit__(None, None, None)
    assert sys.getswitchinterval() == usual_s


def test_what_waits_for_a_thread_is_left_when_its_caller_fails_and_what_was_begun_is_ended():
    begun, go, done = threading.Event(), threading.Event(), []

    def work(number):
        begun.set()
        go.wait(10)
        done.append(number)

    def fail():
        with side_by_side(1) as threads:
            for number in range(3):
                threads.submit(work, number)
            assert begun.wait(10)
            threading.Timer(0.2, go.set).start()
            raise RuntimeError("fails")

    with pytest.raises(RuntimeError, match="fails"):
        fail()
    assert done == [0]
