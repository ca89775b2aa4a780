"""Sector cards in a reader, as the tests want them."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from citycard.keys import SoftKeys, Vault
from citycard.keys.versions import KeyVersions
from citycard.mifare.card import SectorCard
from citycard.mifare.driver import ReaderCapabilities, SectorReader
from citycard.mifare.layouts import BasicIssue, SaleIssue
from citycard.mifare.personalise import personalise_sector_card
from citycard.mifare.plan import CHANGSHA
from citycard.mifare.pseudo import PseudoReader, ReaderModel
from citycard.mifare.sector_keys import SECTOR_PURPOSES, SectorKeys
from citycard.mifare.session import SectorSession
from citycard.mifare.trades import OpenTrades
from citycard.terminal.reader import InProcessReader

TERMINAL = "300089000340"


@pytest.fixture
def blank():
    """Return a 1K card as its maker delivers it."""
    return SectorCard.blank(bytes.fromhex("01020304"))


@pytest.fixture
def say(blank):
    """Return a function that sends a pseudo-APDU in hexadecimal and gives the answer in hexadecimal."""
    reader = PseudoReader(blank)
    reader.power_on()

    def send(apdu):
        return reader.transmit(bytes.fromhex(apdu)).hex().upper()

    return send


@pytest.fixture(scope="session")
def keys():
    """Return the sector keys of a vault."""
    vault = Vault(SoftKeys(bytes(range(16))), KeyVersions())
    vault.ensure_purposes(SECTOR_PURPOSES)
    return SectorKeys(vault)


@pytest.fixture(scope="session")
def bench(keys):
    """Return makers of cards and of sessions with them."""

    def card(plan=CHANGSHA, *, balance_fen=5000, dedicated=0, **issue):
        made = SectorCard.blank(bytes.fromhex("01020304"))
        if plan.issue is SaleIssue:
            record = SaleIssue(**({"serial": "00012345"} | issue))
        else:
            record = BasicIssue(**({"city": "4100", "industry": "0001", "serial": "00012345"} | issue))
        reader = InProcessReader(PseudoReader(made))
        personalise_sector_card(reader, plan, keys, record, balance_fen=balance_fen, dedicated=dedicated)
        made.power_off()
        return made

    def session(card, plan=CHANGSHA, *, terminal=TERMINAL, open_trades=None, value_commands=True):
        reader = InProcessReader(PseudoReader(card, ReaderModel(value_commands=value_commands)))
        return SectorSession(
            SectorReader(reader, keys, ReaderCapabilities()),
            plan,
            terminal=terminal,
            tac=keys.tac,
            open_trades=OpenTrades() if open_trades is None else open_trades,
        )

    return SimpleNamespace(card=card, session=session, terminal=TERMINAL, day=dt.date(2018, 9, 1))
