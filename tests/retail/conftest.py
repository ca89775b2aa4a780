from datetime import timedelta

import pytest

from citycard.ids import derived_id
from citycard.testing.town import Town
from citycard_retail.counter import Counter
from citycard_retail.market import market_of
from citycard_retail.merchants import MerchantWish, apply, decide

FEES = "retail-fees"
#: The categories' own fees are the tiers': clearing takes none of its own from them.
CLEARING = """
[clearing]
fee_bp = 40
kind_fees_bp = {shop = 0, supermarket = 0, restaurant = 0, hotel = 0, kiosk = 0, convenience = 0, \
online-shop = 0, retail-fees = 0}
"""


class Shops:
    """A town with merchants, and hands for what is done in shops."""

    def __init__(self, town):
        self.town, self.market = town, market_of(town.city)
        self._wishes = 0

    def wish(self, partner, category, **more):
        self._wishes += 1
        told = {
            "id": derived_id("wish", partner, self._wishes),
            "partner": partner,
            "name": partner.replace("-", " ").title(),
            "category": category,
            "account_no": f"62009901{derived_id('partner', partner).int % 10**11:011d}",
            "bank_bic": "CITYCNBJXXX",
            "contact": "Mrs Chen, 13800000000",
        }
        return MerchantWish(**(told | more))

    def open(self, partner, category, **more):
        wish = self.wish(partner, category, **more)
        apply(self.market, wish, actor="clerk Li")
        return decide(self.market, wish.id, approve=True, actor="operator Wang")

    def counter(self, number):
        return Counter(self.town.till(number))

    def day(self, **more):
        return self.town.pass_time(timedelta(**(more or {"minutes": 5})))


@pytest.fixture
def shops(tmp_path):
    settings = {"fees_account": "6200990100000200001", "fees_bic": "CITYCNBJXXX"}
    town = Town.make(tmp_path, domains=["retail"], settings={"retail": settings}, more=CLEARING)
    yield Shops(town)
    town.close()
