"""City Union files lie as the recorded card and the published tables say."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from citycard.card import (
    ChongqingApplication,
    CityUnionApplication,
    CityUnionBitmapApplication,
    CityUnionIssue,
    PbocHolder,
    decode,
    layout_of,
)
from citycard.card.describe import describe

DOCUMENTED = (CityUnionIssue, CityUnionApplication, ChongqingApplication, PbocHolder)


def test_the_issuer_data_of_a_recorded_card_is_read():
    recorded = bytes.fromhex("847531000000000000003100310000002091508720151010206510100000")
    card = decode(CityUnionApplication, recorded)
    assert (card.city, card.asn, card.expiry) == ("3100", "3100000020915087", dt.date(2065, 10, 10))


def test_the_bitmap_comes_behind_the_thirty_bytes():
    short, long = layout_of(CityUnionApplication), layout_of(CityUnionBitmapApplication)
    offsets = [(field.name, field.offset) for field in long.fields]
    assert offsets == [*((field.name, field.offset) for field in short.fields), ("bitmap", 30)]


def test_chongqing_has_its_dates_at_8_to_15():
    offsets = {field.name: field.offset for field in layout_of(ChongqingApplication).fields}
    assert (offsets["start"], offsets["expiry"], offsets["rest"]) == (8, 12, 16)


@pytest.mark.parametrize("cls", DOCUMENTED, ids=lambda cls: cls.__name__)
def test_the_page_about_cards_has_the_table(cls):
    page = Path(__file__).parents[3] / "docs" / "card.md"
    assert describe(cls) in page.read_text(encoding="utf-8")
