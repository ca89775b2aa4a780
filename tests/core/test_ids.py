from __future__ import annotations

from citycard.ids import derived_id, new_id


def test_the_same_parts_always_give_the_same_id():
    assert derived_id("run", 7, "card") == derived_id("run", 7, "card")


def test_parts_do_not_run_into_one_another():
    assert derived_id("ab", "c") != derived_id("a", "bc")


def test_fresh_ids_differ_and_sort_by_time():
    ids = [new_id() for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert [one.int >> 80 for one in ids] == sorted(one.int >> 80 for one in ids)
