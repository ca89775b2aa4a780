"""Where everything lies on a city's sector cards: one plan per style, as data (docs/mifare.md)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import attrs

from citycard.card.enums import CardKind
from citycard.errors import SectorCardInvalid, SectorPlanUnknown
from citycard.mifare.geometry import sector_of
from citycard.mifare.layouts import BasicIssue, SaleIssue

__all__ = [
    "CHANGSHA",
    "CONSTRUCTION",
    "PLANS",
    "XIAMEN",
    "DedicatedUse",
    "Pair",
    "SectorPlan",
    "directory_codes",
    "plan_of",
]

_BLOCK = 16
_FREE_CODE = 0xFF
_RIGHTS = {CardKind.STUDENT: "student", CardKind.SENIOR: "senior", CardKind.MILITARY: "military"}


class DedicatedUse(StrEnum):
    """What the dedicated purse counts."""

    MONEY = "money"
    TRIPS = "trips"
    POINTS = "points"


@attrs.frozen
class Pair:
    """Two blocks of one sector: the main one 正本 and its backup 副本."""

    main: int
    backup: int

    def __attrs_post_init__(self) -> None:
        if sector_of(self.main) != sector_of(self.backup) or self.main == self.backup:
            raise SectorCardInvalid(
                field="plan", found=f"blocks {self.main} and {self.backup}", expected="two of one sector"
            )

    @property
    def sector(self) -> int:
        """The sector of both."""
        return sector_of(self.main)


@attrs.frozen(kw_only=True)
class SectorPlan:
    """One style of card. Blocks are counted over the whole card.

    ``started`` and ``finished`` are the process flags of a trade under way and of one that is done, each for
    the public and the dedicated purse. ``metro_prefix`` goes before the metro block when its X.25 is made:
    issuers keep theirs to themselves. ``directory`` is block 1: a code per sector (``directory_codes``).
    ``rights`` says which card kind has which entitlement.
    """

    name: str
    title: str
    directory: bytes = attrs.field(validator=attrs.validators.instance_of(bytes))
    issue: type[BasicIssue | SaleIssue] = BasicIssue
    issue_block: int = 4
    additional_block: int | None = 6
    purse: Pair = Pair(8, 9)
    dedicated: Pair | None = Pair(16, 17)
    dedicated_use: DedicatedUse = DedicatedUse.TRIPS
    info: Pair = Pair(36, 37)
    history: tuple[int, ...] = (38,)
    metro: Pair | None = None
    metro_prefix: bytes = b""
    started: tuple[int, int] = (0x11, 0x12)
    finished: tuple[int, int] = (0x13, 0x14)
    rights: Mapping[int, str] = attrs.field(
        factory=lambda: {
            CardKind.STUDENT: "student",
            CardKind.SENIOR: "senior",
            CardKind.MILITARY: "military",
        }
    )

    @property
    def purses(self) -> tuple[Pair, ...]:
        """The public purse, and the dedicated one where the plan has it."""
        return (self.purse,) if self.dedicated is None else (self.purse, self.dedicated)

    @property
    def open_sectors(self) -> frozenset[int]:
        """The sectors that terminals write with key A: information, history, metro."""
        blocks = {self.info.main, *self.history} | ({self.metro.main} if self.metro else set())
        return frozenset(sector_of(block) for block in blocks)

    @property
    def sectors(self) -> frozenset[int]:
        """Every sector that the plan uses."""
        used = {0, sector_of(self.issue_block), *(pair.sector for pair in self.purses)}
        if self.additional_block is not None:
            used.add(sector_of(self.additional_block))
        return self.open_sectors | used


def directory_codes(block16: bytes) -> dict[int, int]:
    """Read a directory in the 建设部 style: byte n is the application code of sector n, FF is free."""
    if len(block16) != _BLOCK:
        raise SectorCardInvalid(field="directory", found=f"{len(block16)} bytes", expected="16 bytes")
    return {sector: code for sector, code in enumerate(block16) if code != _FREE_CODE}


CONSTRUCTION = SectorPlan(
    name="construction",
    title="住建部 style, information in sector 9",
    directory=bytes.fromhex("10000110003030303060FFFFFFFFFFFF"),
    started=(0x01, 0x01),
    finished=(0x02, 0x02),
)
CHANGSHA = SectorPlan(
    name="changsha",
    title="Changsha numbers: information in sector 9, metro in sector 11",
    directory=bytes.fromhex("100001100030303030607070FFFFFFFF"),
    issue=SaleIssue,
    issue_block=5,
    metro=Pair(44, 45),
    rights={0xA4: "student", 0xA5: "senior", 0xA6: "disabled"},
)
XIAMEN = SectorPlan(
    name="xiamen",
    title="Xiamen style: purse in sector 2, information in sector 3, history in sector 6",
    directory=bytes.fromhex("10000110FFFF30FFFFFFFFFFFFFFFFFF"),
    dedicated=None,
    info=Pair(12, 13),
    history=(24, 25, 26),
    started=(0x01, 0x01),
    finished=(0x02, 0x02),
)
PLANS = {plan.name: plan for plan in (CONSTRUCTION, CHANGSHA, XIAMEN)}
"""The plans that come with citycard; a city with another one makes its own ``SectorPlan``."""


def plan_of(name: str) -> SectorPlan:
    """Return the plan of a name; SectorPlanUnknown names those there are."""
    if name not in PLANS:
        raise SectorPlanUnknown(name=name, known=", ".join(sorted(PLANS)))
    return PLANS[name]
