"""Public disclosure: items, and sums in which nobody can be told apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import RegistryMissing
from citycard.ids import new_id
from citycard.testing.town import Town
from citycard_egov import register
from citycard_egov.disclosure import Sum, disclose, publish_notice, suppressed, withdraw_notice
from citycard_egov.errors import EgovInvalid, NoticeConflict
from citycard_egov.filing import file_application
from citycard_egov.office import Office


@given(st.lists(st.integers(0, 20), max_size=6))
def test_no_small_sum_is_shown_and_none_can_be_worked_out_from_the_total(counts: list[int]) -> None:
    sums = [Sum(name=str(n), title="t", persons=persons, amount_fen=1) for n, persons in enumerate(counts)]
    shown = suppressed(sums, 5)
    hidden = [before for before, after in zip(sums, shown, strict=True) if after.persons is None]
    assert all(after.persons is None for before, after in zip(sums, shown, strict=True) if before.persons < 5)
    assert all(one.amount_fen is None for one in shown if one.persons is None)
    assert len(hidden) != 1 or len(sums) == 1


def test_few_applicants_are_not_told_apart(town: Town, office: Office, number: Callable[..., str]) -> None:
    for serial in range(1, 6):
        card = town.card()
        day = dt.date(2026, 2, 1)
        register.tell(office, number(serial), "police", {"name": "Li"}, day=day, actor="test")
        who = register.link_card(office, number(serial), card.asn, actor="clerk")
        (before,) = disclose(office).applications or (None,)
        assert before is None or before.persons is None
        file_application(office, new_id(), who, card.asn, "hearing", {}, actor="me")
    assert [(one.name, one.persons) for one in disclose(office).applications] == [("hearing/open", 5)]


def test_an_item_is_published_once_and_shown_until_it_is_withdrawn(office: Office) -> None:
    item = {"department": "police", "title": "Opening hours", "title_zh": "开放时间", "body": "8 to 17"}
    for _ in range(2):
        publish_notice(office, "hours", **item, actor="clerk")
    with pytest.raises(NoticeConflict):
        publish_notice(office, "hours", **item | {"body": "9 to 17"}, actor="clerk")
    assert [(one.id, one.title_zh) for one in disclose(office).notices] == [("hours", "开放时间")]
    for _ in range(2):
        withdraw_notice(office, "hours")
    assert disclose(office).notices == ()
    with pytest.raises(NoticeConflict):
        publish_notice(office, "hours", **item, actor="clerk")
    with pytest.raises(RegistryMissing):
        withdraw_notice(office, "no-such")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"notice_id": "A B"}, "id"),
        ({"department": "harbour"}, "department"),
        ({"title": " "}, "title"),
        ({"body": "x" * 4001}, "body"),
        ({"body_zh": "x" * 4001}, "body_zh"),
    ],
)
def test_an_item_of_nobody_or_without_words_is_refused(
    desk: Office, change: dict[str, str], field: str
) -> None:
    item = {"notice_id": "n", "department": "police", "title": "T", "body": "B"} | change
    with pytest.raises(EgovInvalid, match=f"^{field} is"):
        publish_notice(desk, item.pop("notice_id"), **item, actor="clerk")
