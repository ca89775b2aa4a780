"""Sector plans: blocks that fit, and codes per sector."""

from __future__ import annotations

import pytest

from citycard.errors import SectorCardInvalid, SectorPlanUnknown
from citycard.mifare.geometry import group_of
from citycard.mifare.plan import CHANGSHA, PLANS, Pair, directory_codes, plan_of


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_no_two_records_of_a_plan_share_a_block_or_lie_in_a_trailer(plan):
    pairs = [*plan.purses, plan.info, *([plan.metro] if plan.metro else [])]
    blocks = [block for pair in pairs for block in (pair.main, pair.backup)]
    blocks += [
        1,
        plan.issue_block,
        *plan.history,
        *([plan.additional_block] if plan.additional_block else []),
    ]
    assert len(blocks) == len(set(blocks))
    assert all(group_of(block) != 3 for block in blocks)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_purses_share_no_sector_with_what_terminals_write_freely(plan):
    assert not plan.open_sectors & {pair.sector for pair in plan.purses}


def test_changsha_has_its_published_sectors():
    assert (CHANGSHA.purse.sector, CHANGSHA.info.sector, CHANGSHA.metro.sector) == (2, 9, 11)
    assert CHANGSHA.sectors == {0, 1, 2, 4, 9, 11}


def test_a_directory_names_a_code_per_sector():
    codes = directory_codes(bytes.fromhex("10000110003030303060FFFFFFFFFFFF"))
    assert (codes[0], codes[2], codes[9], 10 in codes) == (0x10, 1, 0x60, False)
    with pytest.raises(SectorCardInvalid):
        directory_codes(b"")


def test_copies_of_one_record_stand_in_one_sector():
    with pytest.raises(SectorCardInvalid):
        Pair(8, 12)


def test_a_plan_is_found_by_its_name():
    assert plan_of("changsha") is CHANGSHA
    with pytest.raises(SectorPlanUnknown, match="changsha, construction, xiamen"):
        plan_of("atlantis")
