from datetime import timedelta

import pytest

from citycard.ids import derived_id
from citycard.store import reading
from citycard.testing.town import Town
from citycard_retail.counter import Counter
from citycard_retail.iso import Message, check_mac, read_message, write_message
from citycard_retail.market import market_of
from citycard_retail.merchants import MerchantWish, apply, decide, merchants
from citycard_retail.pos import PosHost
from citycard_retail.poskeys import pos_key

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


class Pos:
    """A POS of a merchant: it counts its STANs, puts MACs on what it sends, and looks at those it gets."""

    def __init__(self, shops, terminal, merchant):
        self.shops, self.terminal, self.merchant = shops, terminal, merchant
        self.host = PosHost(shops.market)
        self.key = pos_key(shops.town.city, terminal)
        self.stan = 0

    def message(self, mti, *, stan=None, **fields):
        self.stan += stan is None
        now = self.shops.town.now
        told = {
            "11": stan or f"{self.stan:06d}",
            "12": f"{now:%H%M%S}",
            "13": f"{now:%m%d}",
            "41": self.terminal[4:],
            "42": self.merchant.code,
        }
        return Message(mti=mti, fields=told | {name[1:]: value for name, value in fields.items()})

    def send(self, message):
        """Send a message and give the fields of the answer."""
        reply, covered, mac8 = read_message(self.host.answer(write_message(message, self.key)))
        check_mac(self.key, covered, mac8)
        assert reply.mti == f"{message.mti[:2]}{int(message.mti[2]) + 1}0"
        return reply.fields

    def ask(self, mti, **fields):
        return self.send(self.message(mti, **fields))

    def purchase(self, number, amount_fen, **more):
        return self.message("0200", _3="000000", _4=f"{amount_fen:012d}", _49="156", _102=number, **more)

    def original(self, message):
        """Give field 90 for a message."""
        told = message.fields
        return f"{message.mti}{told['11']}{told['13']}{told['12']}".ljust(42, "0")


@pytest.fixture
def pos(shops):
    """Return a POS of a hotel, whose fee is 1 %, and which keeps it when it refunds."""
    shops.open("grand-hotel", "hotel")
    with reading(shops.town.city.engine) as conn:
        (hotel,) = merchants(shops.market, conn)
    return Pos(shops, hotel.terminals[0], hotel)


@pytest.fixture
def guest(shops):
    """Return the number of an account with 1000 yuan."""
    return shops.town.account(shops.town.card(), 100_000)


@pytest.fixture(scope="module")
def one_clerk(tmp_path_factory):
    """Return a clerk's client of a town that many questions share, since nothing comes of them."""
    town = Town.make(tmp_path_factory.mktemp("shared"), domains=["retail"], more=CLEARING)
    yield town.client("clerk")
    town.close()


@pytest.fixture
def shops_in():
    """Return what makes the shops of a town."""
    return Shops


@pytest.fixture
def pos_of():
    """Return what makes a POS of shops, a terminal and its merchant."""
    return Pos
