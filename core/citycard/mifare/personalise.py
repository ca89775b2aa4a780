"""Make a blank sector card the card of a plan: records, purses, keys and access bits, through any reader."""

from __future__ import annotations

from citycard.mifare.access import MAD_SECTOR, PURSE_SECTOR, AccessBits, KeyKind
from citycard.mifare.card import TRANSPORT_KEY
from citycard.mifare.crc import seal_x25
from citycard.mifare.driver import KeySource, ReaderCapabilities, SectorReader
from citycard.mifare.geometry import trailer_of
from citycard.mifare.layouts import AdditionalIssue, BasicIssue, PurseInfo, SaleIssue, sealed
from citycard.mifare.plan import SectorPlan
from citycard.mifare.value import ValueBlock
from citycard.terminal.reader import Reader

__all__ = ["OPEN_SECTOR", "issue_record", "personalise_sector_card"]

OPEN_SECTOR = AccessBits((0, 0, 0, 3))
"""Both keys read and write the blocks; only key B changes the keys: 7F0788."""
_GENERAL_BYTE = b"\x69"
_METRO_BODY = 14
_INDUSTRY = "0001"


def issue_record(plan: SectorPlan, *, city: str, serial: str, card_kind: int = 1) -> BasicIssue | SaleIssue:
    """Return the issue data of a new card of a plan; ``city`` has 4 digits, ``serial`` 8; FieldInvalid."""
    if plan.issue is SaleIssue:
        return SaleIssue(serial=serial, card_kind=card_kind)
    return BasicIssue(city=city, industry=_INDUSTRY, serial=serial, card_kind=card_kind)


def personalise_sector_card(
    reader: Reader,
    plan: SectorPlan,
    keys: KeySource,
    issue: BasicIssue | SaleIssue,
    *,
    balance_fen: int = 0,
    dedicated: int = 0,
    additional: AdditionalIssue | None = None,
) -> str:
    """Make the blank card in a reader the card that ``issue`` says, and return its number.

    The keys of a sector come after its blocks, so that a card that went away in between can be personalised
    again as long as its sectors still have the transport keys. Raises SectorAccessFailed when they do not.
    """
    driver = SectorReader(reader, lambda *_: TRANSPORT_KEY, ReaderCapabilities())
    uid = driver.connect()
    for block, data in _blocks(plan, issue, balance_fen, dedicated, additional).items():
        driver.write(block, data, KeyKind.A)
    for sector in sorted(plan.sectors):
        bits = _bits(plan, sector)
        trailer = keys(uid, sector, KeyKind.A) + bits.encode() + _GENERAL_BYTE + keys(uid, sector, KeyKind.B)
        driver.write(trailer_of(sector), trailer, KeyKind.A)
    return issue.number8.hex().upper()


def _blocks(
    plan: SectorPlan,
    issue: BasicIssue | SaleIssue,
    balance_fen: int,
    dedicated: int,
    additional: AdditionalIssue | None,
) -> dict[int, bytes]:
    blocks = {1: plan.directory, plan.issue_block: sealed(issue)}
    if additional is not None and plan.additional_block is not None:
        blocks[plan.additional_block] = sealed(additional)
    for pair, value in zip(plan.purses, (balance_fen, dedicated), strict=False):
        held = ValueBlock(value=value, address=pair.backup).encode()
        blocks |= {pair.main: held, pair.backup: held}
    empty = sealed(PurseInfo())
    blocks |= {plan.info.main: empty, plan.info.backup: empty}
    if plan.metro is not None:
        journey = seal_x25(bytes(_METRO_BODY), plan.metro_prefix)
        blocks |= {plan.metro.main: journey, plan.metro.backup: journey}
    return blocks


def _bits(plan: SectorPlan, sector: int) -> AccessBits:
    if sector in {pair.sector for pair in plan.purses}:
        return PURSE_SECTOR
    if sector in plan.open_sectors:
        return OPEN_SECTOR
    return MAD_SECTOR
