"""A file of another city is taken in or quarantined, whatever stands in it."""

from __future__ import annotations

import hashlib
import json

import pytest

from citycard import registry
from citycard.city import City
from citycard.exchange.filebook import booked_files
from citycard.exchange.format import FileKind, Header, ListedCard, write_file
from citycard.exchange.receiving import receive
from citycard.registry import Card, OtherCity
from citycard.store import reading, writing

OURS, THEIRS = "01019901000000000001", "01019902000000000001"
TEMPLATE = '[city]\nname = "East"\ncode = "9901"\n\n[plugins]\nallow = []\n'


@pytest.fixture
def city(tmp_path):
    """A city with one card, and two other cities on its list that sign with its own key."""
    (tmp_path / "east.toml").write_text(TEMPLATE)
    city = City.create(tmp_path / "east", tmp_path / "east.toml")
    day = city.now_local().date()
    with writing(city.engine) as conn:
        registry.add_products(conn, [registry.Product(name="adult", title="Adult", kind=1)])
        version = registry.ProductVersion(product="adult", version=1, layout="{}")
        registry.add_product_versions(conn, [version])
        facts = {"issuer": city.config.city.issuer, "product": "adult", "kind": 1}
        card = Card(asn=OURS, issued_on=day, expires_on=day.replace(year=day.year + 5, day=1), **facts)
        registry.add_cards(conn, [card])
        for code in ("9902", "9903"):
            other = OtherCity(code=code, name=code, issuers=(f"0101{code}FFFFFFFF",), valid_from=day)
            registry.add_city(conn, other)
            registry.add_city_key(conn, code, city.exchange_signer.key.pem, at=city.clock.now())
    yield city
    city.close()


def cards(city, sender, *asns, number=1):
    header = Header(
        kind=FileKind.CARDS,
        sender=sender,
        receiver="9901",
        number=number,
        day=city.now_local().date(),
        records=len(asns),
        amount_fen=0,
        list=number,
    )
    return write_file(header, [ListedCard(asn=asn) for asn in asns], city.exchange_signer)


def handed_in(city, data):
    (ended,) = receive(city, [("file", data)])
    return ended.state.value, ended.code, ended.reason


def test_a_list_with_a_card_of_ours_blocks_nothing(city):
    state, code, reason = handed_in(city, cards(city, "9902", THEIRS, OURS))
    assert (state, code) == ("quarantined", "F10")
    assert f"may not list {OURS}: it is a card of this city" in reason
    with reading(city.engine) as conn:
        assert registry.blacklist_number(conn) == 0


def test_a_list_with_a_card_that_another_city_listed_blocks_nothing(city):
    assert handed_in(city, cards(city, "9902", THEIRS))[:2] == ("accepted", "OK")
    state, code, reason = handed_in(city, cards(city, "9903", THEIRS))
    assert (state, code, "was listed by city 9902" in reason) == ("quarantined", "F10", True)
    # When the first city takes it off, the same file is good.
    assert handed_in(city, cards(city, "9902", number=2))[:2] == ("accepted", "OK")
    assert handed_in(city, cards(city, "9903", THEIRS))[:2] == ("accepted", "OK")


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 2**31},
        {"list": 2**53 - 1},
        {"lists": [[float("inf"), 1]]},
        {"a\0b": 1},
        {"\ud800": 1},
    ],
)
def test_a_header_that_no_book_can_hold_is_quarantined(city, changes):
    content = cards(city, "9902").split(b"\n")[0]
    content = json.dumps(json.loads(content) | changes).encode() + b"\n"
    last = {"sha256": hashlib.sha256(content).hexdigest(), "key": "\0", "signature": ""}
    data = content + json.dumps(last).encode() + b"\n"
    assert handed_in(city, data)[:2] == ("quarantined", "F07")
    with reading(city.engine) as conn:
        assert [file.code for file in booked_files(conn)] == ["F07"]
