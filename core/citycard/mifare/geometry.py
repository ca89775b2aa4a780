"""How blocks lie in sectors: 16 sectors of 4 blocks on a 1K, 32 of 4 and 8 of 16 on a 4K."""

from __future__ import annotations

from enum import Enum

__all__ = ["BLOCK_SIZE", "CardType", "first_block", "group_of", "sector_of", "trailer_of"]

BLOCK_SIZE = 16
_SMALL_SECTORS, _SMALL, _LARGE = 32, 4, 16
_SMALL_BLOCKS = _SMALL_SECTORS * _SMALL
_BLOCKS_A_GROUP = 5


class CardType(Enum):
    """A sector card: its size, and the card name in its ATR (PC/SC part 3)."""

    CLASSIC_1K = (16, 0x0001, 0x08, b"\x04\x00")
    CLASSIC_4K = (40, 0x0002, 0x18, b"\x02\x00")

    def __init__(self, sectors: int, name: int, sak: int, atqa: bytes) -> None:
        self.sectors = sectors
        self.card_name = name
        self.sak = sak
        self.atqa = atqa

    @property
    def blocks(self) -> int:
        """Return the number of blocks: 64 or 256."""
        return first_block(self.sectors)


def sector_of(block: int) -> int:
    """Return the sector in which a block lies."""
    if block < _SMALL_BLOCKS:
        return block // _SMALL
    return _SMALL_SECTORS + (block - _SMALL_BLOCKS) // _LARGE


def first_block(sector: int) -> int:
    """Return the number of a sector's first block."""
    if sector < _SMALL_SECTORS:
        return sector * _SMALL
    return _SMALL_BLOCKS + (sector - _SMALL_SECTORS) * _LARGE


def trailer_of(sector: int) -> int:
    """Return the number of a sector's last block, which holds its keys and access bits."""
    return first_block(sector + 1) - 1


def group_of(block: int) -> int:
    """Return which of the four access conditions of its sector a block has: 3 is the trailer's."""
    sector = sector_of(block)
    place = block - first_block(sector)
    if sector < _SMALL_SECTORS:
        return place
    return place // _BLOCKS_A_GROUP
