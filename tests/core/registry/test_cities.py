"""Other cities take part from a day until a day, and fees are agreed once and for ever."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from citycard.errors import ForeignListRefused, RegistryConflict, RegistryInvalid, RegistryMissing
from citycard.registry import Card, Product, ProductVersion, add_cards, add_product_versions, add_products
from citycard.registry.blacklist import blacklist_at, own_blacklist_at, publish_blacklist
from citycard.registry.cities import (
    CityChange,
    CityFee,
    OtherCity,
    Used,
    add_city,
    change_city,
    city_fees,
    city_history,
    fee_on,
    find_city,
    other_cities,
    remove_city,
    set_city_fee,
)
from citycard.registry.foreignlists import foreign_cards, take_foreign_list
from citycard.store import writing

FIRST, LAST = dt.date(2026, 3, 1), dt.date(2026, 3, 31)
AT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
WEST = OtherCity(code="9902", name="West", issuers=("01019902FFFFFFFF",), valid_from=FIRST)
ONE, TWO = "01019902000000000001", "01019902000000000002"


@pytest.fixture
def conn(store):
    with writing(store) as conn:
        add_city(conn, WEST)
        yield conn


def test_a_city_takes_part_on_its_first_and_on_its_last_day(conn):
    assert remove_city(conn, "9902", LAST) == find_city(conn, "9902")
    days = (FIRST - dt.timedelta(days=1), FIRST, LAST, LAST + dt.timedelta(days=1))
    assert [find_city(conn, "9902").takes_part(day) for day in days] == [False, True, True, False]


def test_a_city_is_added_once(conn):
    assert add_city(conn, WEST) is False
    with pytest.raises(RegistryConflict, match="name"):
        add_city(conn, attrs.evolve(WEST, name="East"))
    with pytest.raises(RegistryConflict, match="01019902FFFFFFFF"):
        add_city(conn, attrs.evolve(WEST, code="9903"))
    assert other_cities(conn) == [WEST]


def test_name_address_and_account_can_be_changed_and_nothing_else_changes_with_them(conn):
    wanted = {"account_no": "6200990200000002", "bank_bic": "CITYCNBJXXX"}
    changed = change_city(conn, "9902", wanted, reason="a new bank", actor="li", at=AT)
    assert changed == attrs.evolve(WEST, **wanted)
    assert other_cities(conn) == [changed]
    with pytest.raises(RegistryInvalid, match="account_no"):
        change_city(conn, "9902", {"account_no": "6200-9902"}, reason="a new bank")
    with pytest.raises(RegistryMissing):
        change_city(conn, "9909", wanted, reason="a new bank")
    assert other_cities(conn) == [changed]


def test_what_was_changed_why_and_by_whom_is_kept_for_ever(conn):
    one = {"account_no": "6200990200000001"}
    change_city(conn, "9902", one, reason="their letter", actor="li", at=AT)
    change_city(conn, "9902", one | {"bank_bic": "CITYCNBJXXX"}, reason="their call", actor="wang", at=AT)
    told = {"city": "9902", "before": "", "at": AT}
    assert city_history(conn, "9902") == [
        CityChange(**told, field="account_no", after="6200990200000001", reason="their letter", actor="li"),
        CityChange(**told, field="bank_bic", after="CITYCNBJXXX", reason="their call", actor="wang"),
    ]
    with pytest.raises(DBAPIError, match="append-only"), conn.begin_nested():
        conn.execute(text("UPDATE other_city_change SET actor = 'nobody'"))


def test_what_is_not_well_formed_is_refused(conn):
    for changes in (
        {"code": "99"},
        {"name": " "},
        {"issuers": ()},
        {"issuers": ("01",)},
        {"valid_to": FIRST - dt.timedelta(days=1)},
        {"account_no": "62 00"},
        {"bank_bic": "CITY"},
        {"address": "a" * 101},
    ):
        with pytest.raises(RegistryInvalid):
            attrs.evolve(WEST, **changes)
    with pytest.raises(RegistryMissing, match="citycard interconnect add"):
        find_city(conn, "9999")


def test_the_fee_of_a_debit_is_that_of_its_service_and_its_day(conn):
    later = FIRST + dt.timedelta(days=10)
    for fee in (
        CityFee(city="9902", used=Used.HERE, valid_from=FIRST, bp=60, fixed_fen=1),
        CityFee(city="9902", used=Used.HERE, valid_from=later, bp=100),
        CityFee(city="9902", used=Used.HERE, service=7, valid_from=FIRST, fixed_fen=2),
    ):
        assert set_city_fee(conn, fee) is True
        assert set_city_fee(conn, fee) is False
    fees = city_fees(conn, "9902")
    asked = ((1, FIRST), (1, later), (7, later), (1, FIRST - dt.timedelta(days=1)))
    assert [fee_on(fees, Used.HERE, service, day, 350) for service, day in asked] == [3, 4, 2, 0]
    assert fee_on(fees, Used.THERE, 1, FIRST, 350) == 0
    assert fee_on(fees, Used.HERE, 1, FIRST, 1) == 1
    with pytest.raises(RegistryConflict, match="bp"):
        set_city_fee(conn, CityFee(city="9902", used=Used.HERE, valid_from=later, bp=99))


def test_cards_of_another_city_come_and_go_with_its_lists(conn):
    assert take_foreign_list(conn, "9902", 4, [ONE, TWO]) == (2, 0)
    assert publish_blacklist(conn) == 1
    assert take_foreign_list(conn, "9902", 5, [TWO]) == (0, 1)
    # An older list, and the same one, change nothing.
    assert take_foreign_list(conn, "9902", 4, [ONE, TWO]) == (0, 0)
    assert publish_blacklist(conn) == 2
    assert (blacklist_at(conn, 1), blacklist_at(conn, 2)) == ({ONE, TWO}, {TWO})
    assert (foreign_cards(conn, "9902"), own_blacklist_at(conn, 2)) == ({TWO}, frozenset())


def test_a_card_that_another_city_listed_is_not_listed_again(conn):
    add_city(conn, attrs.evolve(WEST, code="9903", issuers=("01019903FFFFFFFF",)))
    take_foreign_list(conn, "9902", 1, [ONE])
    with pytest.raises(ForeignListRefused, match="city 9903 may not list"):
        take_foreign_list(conn, "9903", 1, [ONE, TWO])
    assert (publish_blacklist(conn), blacklist_at(conn, 1)) == (1, {ONE})
    # Once its city took it off, it may be another's, even before that was published.
    take_foreign_list(conn, "9902", 2, [])
    assert take_foreign_list(conn, "9903", 1, [ONE, TWO]) == (2, 0)
    assert (publish_blacklist(conn), blacklist_at(conn, 2)) == (2, {ONE, TWO})
    assert (foreign_cards(conn, "9902"), foreign_cards(conn, "9903")) == (frozenset(), {ONE, TWO})


def test_a_card_of_our_own_is_not_listed_by_another_city(conn):
    add_products(conn, [Product(name="adult", title="Adult", kind=1)])
    add_product_versions(conn, [ProductVersion(product="adult", version=1, layout="{}")])
    facts = {"issuer": "01019901FFFFFFFF", "product": "adult", "kind": 1}
    add_cards(conn, [Card(asn=TWO, issued_on=FIRST, expires_on=LAST, **facts)])
    with pytest.raises(ForeignListRefused, match="is a card of this city"):
        take_foreign_list(conn, "9902", 1, [ONE, TWO])
    assert foreign_cards(conn, "9902") == frozenset()
