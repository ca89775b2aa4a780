"""A call that hangs costs its time-out, and the next call goes on."""

from __future__ import annotations

import threading
import time

import pytest

from citycard.pcsc.worker import Worker


def test_a_call_that_hangs_is_given_up_and_the_next_one_works():
    worker, release = Worker("test"), threading.Event()
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        worker.call(release.wait, timeout=0.05)

    assert time.monotonic() - begun < 2
    assert worker.call(sum, (1, 2), timeout=5) == 3
    assert worker.lost == 1
    release.set()
    worker.close()


def test_a_call_that_comes_back_too_late_is_cleaned_up_after():
    worker, release, cleaned = Worker("test"), threading.Event(), threading.Event()
    with pytest.raises(TimeoutError):
        worker.call(release.wait, timeout=0.05, late=cleaned.set)
    assert not cleaned.is_set()
    release.set()

    assert cleaned.wait(5)


def test_calls_are_made_one_after_the_other_in_one_thread():
    worker = Worker("test")
    threads = {worker.call(threading.get_ident, timeout=5) for _ in range(5)}

    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    worker.close()
