"""Issuing: a blank of a product, and the cards that are made of it."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from citycard.card import Management, PublicApplication, decode
from citycard.card.files import TRANSIT_PROFILE
from citycard.chip import Chip, personalise, prepare_blank
from citycard.errors import PersonalisationFailed


def issue(chip, issuing, **more):
    order = {
        "asn": "03105170070104791381",
        "issuer": "01011000FFFFFFFF",
        "product": issuing["product"],
        "keys": issuing["keys"],
        "start": dt.date(2024, 1, 1),
        "expiry": dt.date(2034, 1, 1),
    }
    personalise(chip, **{**order, **more})
    return chip


def test_a_personalised_card_carries_its_number_product_and_dates(blank, issuing, desk_of):
    desk = desk_of(issue(blank.clone(), issuing, city="5840")).select()
    application = decode(PublicApplication, desk.ok("00B0950000"))
    assert application == PublicApplication(
        issuer="01011000FFFFFFFF",
        asn="03105170070104791381",
        start=dt.date(2024, 1, 1),
        expiry=dt.date(2034, 1, 1),
    )
    assert decode(Management, desk.ok("00B0970000")) == Management(
        province="5840", city="5840", card_kind=issuing["product"].kind
    )
    assert (desk.balance(), desk.counters()) == (0, (0, 0))


def test_every_sector_of_the_product_has_its_record(blank, desk_of):
    desk = desk_of(blank.clone()).select()
    assert [record[:3].hex() for record in desk.records(0x1A)] == ["27017d", "27027d"]


def test_sectors_start_as_their_owner_says(issuing, desk_of):
    blank = prepare_blank(issuing["version"], initial={"bus": b"\x42" * 125})
    place = issuing["version"].place("rail")
    desk = desk_of(issue(blank.clone(), issuing, sectors={place: b"\x17" * 125})).select()
    assert [record[3] for record in desk.records(0x1A)] == [0x17, 0x42]


def test_a_card_is_personalised_once(blank, issuing):
    chip = issue(blank.clone(), issuing)
    with pytest.raises(PersonalisationFailed, match="EXTERNAL AUTHENTICATE with status 63C2"):
        issue(chip, issuing)


def test_the_blank_is_not_touched_by_its_clones(blank, issuing):
    before = blank.image()
    issue(blank.clone(), issuing)
    assert blank.image() == before


def test_no_transport_key_is_left_on_a_card(blank, issuing):
    transport = blank.profile.transport_key
    assert transport in blank.image()
    assert transport not in issue(blank.clone(), issuing).image()


def test_a_product_that_is_larger_than_the_card_is_refused(issuing):
    large = attrs.evolve(
        TRANSIT_PROFILE,
        files=tuple(
            attrs.evolve(file, size=9000) if file.fid == 0x1A else file for file in TRANSIT_PROFILE.files
        ),
    )
    with pytest.raises(PersonalisationFailed, match="CREATE FILE 3F01 with status 6A84"):
        prepare_blank(issuing["version"], large)


def test_cards_survive_in_a_file(issued, desk_of):
    desk = desk_of(issued.clone()).select()
    desk.load(777)
    again = desk_of(Chip.from_image(desk.chip.image())).select()
    assert again.balance() == 777


def test_an_error_never_shows_a_key(blank, issuing):
    chip = issue(blank.clone(), issuing)
    with pytest.raises(PersonalisationFailed) as caught:
        issue(chip, issuing)
    text = f"{caught.value!r} {chip!r} {chip.profile!r}"
    assert "FFFFFFFF" not in text.upper()
    assert issuing["keys"].purchase.hex() not in text
