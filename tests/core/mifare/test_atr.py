"""Answers to reset of storage cards."""

from __future__ import annotations

from citycard.mifare.atr import card_type_of, storage_atr
from citycard.mifare.geometry import CardType


def test_the_atr_names_the_card_and_ends_with_its_check_byte():
    assert storage_atr(CardType.CLASSIC_1K).hex().upper() == "3B8F8001804F0CA000000306030001000000006A"
    assert storage_atr(CardType.CLASSIC_4K).hex().upper() == "3B8F8001804F0CA0000003060300020000000069"


def test_an_atr_tells_the_card():
    assert [card_type_of(storage_atr(kind)) for kind in CardType] == list(CardType)
    assert card_type_of(bytes.fromhex("3B8F8001804F0CA0000003060300030000000068")) is None
    assert card_type_of(bytes.fromhex("3B6800000073C84000009000")) is None
