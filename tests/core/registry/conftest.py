"""A registry with one of everything, in a transaction of the test's own."""

from datetime import date

import pytest

from citycard.registry import (
    Card,
    District,
    Partner,
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
)
from citycard.store import writing

DAY = date(2018, 9, 1)


@pytest.fixture
def make_card():
    """Return a maker of cards by number."""

    def make(number, **more):
        values = {
            "asn": f"{number:020d}",
            "issuer": "5840000100000000",
            "product": "adult",
            "kind": 1,
            "issued_on": DAY,
            "expires_on": DAY.replace(year=2028),
        }
        return Card(**values | more)

    return make


@pytest.fixture
def conn(store, make_card):
    with writing(store) as conn:
        add_districts(conn, [District(id="futian", name="Futian", name_zh="福田")])
        add_partners(conn, [Partner(id="metro-1", name="Metro Line 1", district="futian")])
        add_places(conn, [Place(code=7, name="Window of the World", line="1", partner="metro-1")])
        add_terminals(conn, [Terminal(number="344000000001", partner="metro-1", place=7, opened_on=DAY)])
        add_products(conn, [Product(name="adult", title="Adult", title_zh="成人", kind=1)])
        add_product_versions(conn, [ProductVersion(product="adult", version=1, layout="{}")])
        add_cards(conn, [make_card(number) for number in range(1, 6)])
        yield conn
