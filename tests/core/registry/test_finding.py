import pytest

from citycard.errors import RegistryMissing
from citycard.registry import (
    Partner,
    ProductVersion,
    add_partners,
    add_product_versions,
    cards_by_asn,
    districts,
    find_card,
    find_product,
    find_product_version,
    latest_product_version,
    partners,
    places,
    product_versions,
    products,
    terminals,
)


def test_lists_come_in_order_and_can_be_narrowed(conn):
    add_partners(conn, [Partner(id="bus", name="Bus")])
    assert [one.id for one in partners(conn)] == ["bus", "metro-1"]
    assert [one.id for one in partners(conn, district="futian")] == ["metro-1"]
    assert [one.name_zh for one in districts(conn)] == ["福田"]
    assert [one.code for one in places(conn)] == [7]
    assert [one.number for one in terminals(conn, partner="metro-1")] == ["344000000001"]
    assert terminals(conn, partner="bus") == []
    assert [one.name for one in products(conn)] == ["adult"]


def test_cards_are_found_by_number(conn, make_card):
    found = cards_by_asn(conn, [f"{number:020d}" for number in (1, 3, 99)])
    assert found == {card.asn: card for card in (make_card(1), make_card(3))}


def test_versions_of_a_product_stay_beside_one_another(conn):
    add_product_versions(conn, [ProductVersion(product="adult", version=2, layout='{"v": 2}')])
    assert [one.version for one in product_versions(conn, "adult")] == [1, 2]
    assert latest_product_version(conn, "adult") == find_product_version(conn, "adult", 2)
    assert latest_product_version(conn, "child") is None


def test_what_is_not_there_is_named(conn):
    with pytest.raises(RegistryMissing, match="card '42' is not registered"):
        find_card(conn, "42")
    with pytest.raises(RegistryMissing, match="product version 'adult/9' is not registered"):
        find_product_version(conn, "adult", 9)
    with pytest.raises(RegistryMissing, match="product 'child' is not registered"):
        find_product(conn, "child")
