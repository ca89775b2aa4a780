"""Blocks and sectors of both sizes."""

from __future__ import annotations

import pytest

from citycard.mifare.geometry import CardType, first_block, group_of, sector_of, trailer_of


@pytest.mark.parametrize(
    ("block", "sector"), [(0, 0), (63, 15), (127, 31), (128, 32), (143, 32), (144, 33), (255, 39)]
)
def test_a_block_lies_in_its_sector(block, sector):
    assert sector_of(block) == sector


@pytest.mark.parametrize("kind", CardType)
def test_sectors_cover_a_card_without_gaps(kind):
    assert [sector_of(first_block(sector)) for sector in range(kind.sectors)] == list(range(kind.sectors))
    assert trailer_of(kind.sectors - 1) == kind.blocks - 1
    assert kind.blocks in {64, 256}


def test_a_large_sector_has_groups_of_five_blocks():
    assert [group_of(block) for block in range(128, 144)] == [0] * 5 + [1] * 5 + [2] * 5 + [3]
    assert [group_of(block) for block in range(4, 8)] == [0, 1, 2, 3]
