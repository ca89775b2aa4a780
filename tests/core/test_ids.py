from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from subprocess import run

import pytest

from citycard.errors import QueryInvalid
from citycard.ids import derived_id, new_id, uuid_in

#: A process that has drawn already, and its child, print the random tails of the ids that they make.
FORKED = """
import os
from citycard.ids import new_id
new_id(), new_id()
if child := os.fork():
    os.waitpid(child, 0)
print(*[new_id().int % 2**80 for _ in range(1000)], flush=True)
"""


def test_the_same_parts_always_give_the_same_id():
    assert derived_id("run", 7, "card") == derived_id("run", 7, "card")


def test_parts_do_not_run_into_one_another():
    assert derived_id("ab", "c") != derived_id("a", "bc")


def test_fresh_ids_differ_and_sort_by_time():
    ids = [new_id() for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert [one.int >> 80 for one in ids] == sorted(one.int >> 80 for one in ids)


def test_a_forked_process_makes_other_ids_than_its_parent():
    told = run([sys.executable, "-c", FORKED], check=True, capture_output=True, text=True, timeout=60).stdout
    made = told.split()

    assert len(set(made)) == len(made) == 2000


def test_threads_make_no_id_twice():
    with ThreadPoolExecutor(8) as pool:
        made = [one for ids in pool.map(_made, [2000] * 8) for one in ids]

    assert len({one.int % 2**80 for one in made}) == 16_000


def _made(count):
    return [new_id() for _ in range(count)]


def test_an_id_is_read_from_a_field():
    made = new_id()

    assert uuid_in({"id": str(made)}, "id") == made


@pytest.mark.parametrize(
    ("values", "shown"), [({}, ""), ({"bill": "17"}, "17"), ({"bill": "x" * 50}, "x" * 40)]
)
def test_what_is_no_id_is_told_with_its_field(values, shown):
    with pytest.raises(QueryInvalid) as told:
        uuid_in(values, "bill", "the id of a bill")

    assert str(told.value) == f"bill {shown!r} is not valid: expected the id of a bill"
