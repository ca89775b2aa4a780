from __future__ import annotations

import pytest

from citycard.errors import QueryInvalid
from citycard.ids import derived_id, new_id, uuid_in


def test_the_same_parts_always_give_the_same_id():
    assert derived_id("run", 7, "card") == derived_id("run", 7, "card")


def test_parts_do_not_run_into_one_another():
    assert derived_id("ab", "c") != derived_id("a", "bc")


def test_fresh_ids_differ_and_sort_by_time():
    ids = [new_id() for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert [one.int >> 80 for one in ids] == sorted(one.int >> 80 for one in ids)


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
