"""Sector cards: the software MIFARE Classic, its driver, and the purse protocol of older city cards.

- ``access``, ``value``, ``geometry``, ``card``, ``image``: the chip itself
- ``atr``, ``pseudo``: the chip behind a PC/SC reader; ``driver``: any reader from a program's side
- ``crc``, ``mad``, ``layouts``, ``plan``: what lies where on a city's cards
- ``recovery``, ``session``, ``trades``: purchase, load and the mending of torn cards
- ``sector_keys``, ``personalise``: keys from the vault, cards from blanks
"""

from __future__ import annotations

from citycard.mifare.access import KeyKind
from citycard.mifare.card import SectorCard
from citycard.mifare.driver import ReaderCapabilities, SectorReader
from citycard.mifare.geometry import CardType
from citycard.mifare.image import is_sector_image
from citycard.mifare.layouts import AdditionalIssue, BasicIssue, SaleIssue
from citycard.mifare.personalise import issue_record, personalise_sector_card
from citycard.mifare.plan import PLANS, DedicatedUse, SectorPlan, plan_of
from citycard.mifare.pseudo import PseudoReader, ReaderModel
from citycard.mifare.sector_keys import SECTOR_PURPOSES, SectorKeys
from citycard.mifare.session import SectorSession, SectorView
from citycard.mifare.trades import OpenTrades, SectorTrade, TradeOutcome

__all__ = [
    "PLANS",
    "SECTOR_PURPOSES",
    "AdditionalIssue",
    "BasicIssue",
    "CardType",
    "DedicatedUse",
    "KeyKind",
    "OpenTrades",
    "PseudoReader",
    "ReaderCapabilities",
    "ReaderModel",
    "SaleIssue",
    "SectorCard",
    "SectorKeys",
    "SectorPlan",
    "SectorReader",
    "SectorSession",
    "SectorTrade",
    "SectorView",
    "TradeOutcome",
    "is_sector_image",
    "issue_record",
    "personalise_sector_card",
    "plan_of",
]
