"""Sectors: what one domain keeps on every card of a product, declared once by its owner."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

from citycard.card.codec import decode, encode, layout_of
from citycard.errors import CodecError, SectorInvalid

__all__ = [
    "OWN_RECORD_IDS",
    "SECTOR_HEADER_SIZE",
    "SECTOR_LIMIT",
    "ReadAccess",
    "SectorLayout",
    "WriteAccess",
]

SECTOR_LIMIT = 125
"""The most bytes a sector may take: a record of EF 1A has 128, three of them are its header (JT/T 978)."""
SECTOR_HEADER_SIZE = 3
"""Record id (2) and length (1) before every sector."""
OWN_RECORD_IDS = 0x4300
"""Record ids ``43nn`` are given by the allocation; the published ones of JT/T 978 are ``27nn``."""


class ReadAccess(StrEnum):
    """Who may read a sector: everyone, because a transit card's sector file is free to read (JT/T 978)."""

    FREE = "free"


class WriteAccess(StrEnum):
    """What may write a sector: a composite purchase, or only the maintenance key."""

    PURCHASE = "purchase"
    MAINTENANCE = "maintenance"


@attrs.frozen(kw_only=True)
class SectorLayout:
    """Describe one sector: its name, the layout class of its record, and who may read and write it.

    ``record_id`` is given only for records that a standard names (JT/T 978: 2701 rail, 2702 bus). ``version``
    grows when ``record`` changes, so that a card issued earlier stays readable. ``initial`` is what a new
    card carries, zeros unless told; it has to be a valid record. Raises SectorInvalid.
    """

    name: str = attrs.field(validator=attrs.validators.matches_re(r"[a-z][a-z0-9_.-]{0,39}"))
    record: type[Any]
    title: str = ""
    title_zh: str = ""
    size: int = attrs.field()
    version: int = attrs.field(default=1, validator=attrs.validators.in_(range(1, 256)))
    record_id: int | None = None
    read: ReadAccess = attrs.field(default=ReadAccess.FREE, converter=ReadAccess)
    write: WriteAccess = attrs.field(default=WriteAccess.PURCHASE, converter=WriteAccess)
    initial: bytes = attrs.field()
    examples: tuple[tuple[bytes, Any], ...] = attrs.field(default=(), converter=tuple)

    @size.default
    def _size(self) -> int:
        return layout_of(self.record).size

    @initial.default
    def _initial(self) -> bytes:
        return bytes(layout_of(self.record).size)

    def __attrs_post_init__(self) -> None:
        """Check that the parts agree; SectorInvalid says which do not."""
        size = layout_of(self.record).size
        if self.size != size:
            self._refuse(f"size is {self.size}, its record {self.record.__name__} has {size} bytes")
        if not 1 <= self.size <= SECTOR_LIMIT:
            self._refuse(f"it takes {self.size} bytes: at most {SECTOR_LIMIT} fit in one record")
        if self.record_id is not None and not 0 < self.record_id >> 8 != OWN_RECORD_IDS >> 8:
            self._refuse(
                f"record id {self.record_id:04X} is not free: leave it out, or give one a standard names"
            )
        try:
            decode(self.record, self.initial)
        except CodecError as error:
            self._refuse(f"its initial bytes are no record: {error}")
        for data, record in self.examples:
            if encode(record) != data or decode(self.record, data) != record:
                self._refuse(f"example {data.hex().upper()} does not give its record back")

    def _refuse(self, problem: str) -> None:
        raise SectorInvalid(sector=self.name, problem=problem)
