"""Chips made ahead by a second process."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from citycard.city import City
from citycard.terminal.reader import InProcessReader
from citycard.terminal.terminal import Terminal
from citycard_transit import chipmaking
from citycard_transit.chipmaking import NewCard, chip_maker

DAY = date(2026, 3, 2)
PRODUCTS = ("standard", "half", "free", "full")
CARDS = [NewCard(f"0310990177{number:010d}", PRODUCTS[number % 4], DAY) for number in range(150)]


@pytest.fixture
def terminal(haibin_city: City) -> Terminal:
    return Terminal("000101060001", haibin_city.sam("000101060001"), host=haibin_city.desk)


def seen(terminal: Terminal, chip: object) -> tuple[str, int, bool]:
    """Read a card's number and kind, and let it pay: only its own keys make that work."""
    at = datetime.fromisoformat("2026-03-02T08:00:00")
    session = terminal.tap(InProcessReader(chip), at)
    debit = session.purchase(0, at)
    terminal.record(debit)
    return session.view.asn, session.view.card_kind, bool(debit.tac)


def test_chips_made_ahead_are_the_cards_that_were_announced(
    haibin_city: City, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chipmaking, "_WORTH_IT", 1)
    kinds = {"standard": 1, "half": 2, "free": 3, "full": 16}
    with chip_maker(haibin_city, CARDS) as maker:
        for card in CARDS:
            assert seen(terminal, maker.chip(card)) == (card.asn, kinds[card.product], True)


def test_a_card_that_is_asked_for_out_of_turn_is_made_here(
    haibin_city: City, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chipmaking, "_WORTH_IT", 1)
    with chip_maker(haibin_city, CARDS[:8]) as maker:
        for card in (CARDS[100], CARDS[0], CARDS[1], CARDS[5]):
            assert seen(terminal, maker.chip(card))[0] == card.asn


def test_without_the_other_process_the_play_goes_on(
    haibin_city: City, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chipmaking, "_WORTH_IT", 1)
    monkeypatch.setattr(haibin_city, "folder", Path("/nowhere"))
    with chip_maker(haibin_city, CARDS[:3]) as maker:
        assert [seen(terminal, maker.chip(card))[0] for card in CARDS[:3]] == [card.asn for card in CARDS[:3]]
