from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

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


WORKING = """
import os, sys, time
from citycard.processes import processes
try:
    with processes(2, os.getpid) as executor:
        print("working", flush=True)
        [executor.submit(time.sleep, 2).result() for _ in range(9)]
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.3, 1.0])
def test_ctrl_c_is_for_the_process_that_gives_out_the_work_however_far_the_others_are(tmp_path, after_s):
    script = tmp_path / "working.py"
    script.write_text(f"if __name__ == '__main__':\n{WORKING.replace(chr(10), chr(10) + '    ')}")
    working = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert working.stdout.readline() == b"working\n"
    time.sleep(after_s)
    os.killpg(working.pid, signal.SIGINT)
    _, said = working.communicate(timeout=30)
    assert (working.returncode, said) == (130, b"")
