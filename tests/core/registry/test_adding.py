from datetime import date

import attrs
import pytest

from citycard.errors import RegistryConflict, RegistryMissing
from citycard.registry import (
    CardStatus,
    District,
    Partner,
    PartnerStatus,
    Place,
    Product,
    ProductVersion,
    Terminal,
    add_cards,
    add_districts,
    add_partners,
    add_places,
    add_product_versions,
    add_products,
    add_terminals,
    change_partner,
    count_cards,
    find_card,
    find_partner,
    find_place,
    find_terminal,
    set_card_status,
)

DAY = date(2018, 9, 1)


def test_what_is_there_is_left_alone_and_only_what_is_new_is_counted(conn, make_card):
    assert add_cards(conn, [make_card(number) for number in range(3, 9)]) == 3
    assert add_cards(conn, [make_card(8), make_card(8)]) == 0
    assert count_cards(conn) == {"issued": 8}


def test_adding_again_does_not_touch_a_status(conn, make_card):
    set_card_status(conn, f"{1:020d}", CardStatus.LOST, reason="reported")
    change_partner(conn, "metro-1", {"status": PartnerStatus.SUSPENDED}, reason="asked")
    assert add_cards(conn, [make_card(1)]) == 0
    assert add_partners(conn, [Partner(id="metro-1", name="Metro Line 1", district="futian")]) == 0
    assert find_card(conn, f"{1:020d}").status is CardStatus.LOST
    assert find_partner(conn, "metro-1").status is PartnerStatus.SUSPENDED


def test_many_records_are_added_at_once(conn, make_card):
    cards = [make_card(number) for number in range(12_000)]
    assert add_cards(conn, cards) == 12_000 - 5
    assert add_cards(conn, cards) == 0


@pytest.mark.parametrize(
    ("add", "record", "said"),
    [
        (
            add_districts,
            District(id="futian", name="F"),
            "district 'futian' is registered with name 'Futian'",
        ),
        (add_partners, Partner(id="metro-1", name="M"), "partner 'metro-1' is registered with name"),
        (add_places, Place(code=7, name="W"), "place '7' is registered with name"),
        (
            add_terminals,
            Terminal(number="344000000001", partner="metro-1", opened_on=DAY),
            "terminal '344000000001' is registered with place '7': it cannot be added with 'None'",
        ),
        (add_products, Product(name="adult", title="Adult", title_zh="成人", kind=2), "'adult'.*kind '1'"),
        (
            add_product_versions,
            ProductVersion(product="adult", version=1, layout="[]"),
            "productversion 'adult/1' is registered with layout '{}'",
        ),
    ],
)
def test_what_is_there_and_differs_names_record_and_field(conn, add, record, said):
    with pytest.raises(RegistryConflict, match=said):
        add(conn, [record])


def test_one_call_cannot_add_a_record_in_two_ways(conn, make_card):
    with pytest.raises(RegistryConflict, match="kind"):
        add_cards(conn, [make_card(9), make_card(9, kind=2)])


@pytest.mark.parametrize(
    ("add", "record", "said"),
    [
        (add_partners, Partner(id="bus", name="Bus", district="nowhere"), "district 'nowhere'"),
        (add_places, Place(code=8, name="P", partner="bus"), "partner 'bus'"),
        (add_terminals, Terminal(number="2" * 12, partner="bus", opened_on=DAY), "partner 'bus'"),
        (add_terminals, Terminal(number="2" * 12, partner="metro-1", place=9, opened_on=DAY), "place '9'"),
        (add_product_versions, ProductVersion(product="child", version=1, layout=""), "product 'child'"),
    ],
)
def test_what_is_referred_to_and_not_there_is_named(conn, add, record, said):
    with pytest.raises(RegistryMissing, match=f"{said} is not registered"):
        add(conn, [record])


def test_a_card_of_an_unknown_product_version_is_refused(conn, make_card):
    with pytest.raises(RegistryMissing, match="product version 'adult/2' is not registered"):
        add_cards(conn, [make_card(9, product_version=2)])


def test_records_come_back_as_they_were_added(conn, make_card):
    place = Place(code=0xFFFFFFFF, name="Airport", partner=None)
    terminal = Terminal(number="9" * 12, partner="metro-1", opened_on=DAY)
    partner = Partner(
        id="bus-1",
        name="Bus 1",
        kind="operator",
        account_name="Bus One Ltd",
        account_no="6222000011112222",
        bank_bic="ICBKCNBJ",
    )
    add_places(conn, [place])
    add_terminals(conn, [terminal])
    add_partners(conn, [partner])
    card = make_card(77, status=CardStatus.STOCK)
    add_cards(conn, [card])
    assert find_place(conn, place.code) == place
    assert find_terminal(conn, terminal.number) == terminal
    assert find_partner(conn, "bus-1") == partner
    assert find_card(conn, card.asn) == card
    assert attrs.evolve(card, status=CardStatus.ISSUED) != card
