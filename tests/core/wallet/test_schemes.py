import attrs
import pytest

from citycard.errors import SchemeConflict, SchemeUnknown, WalletInvalid
from citycard.store import writing
from citycard.wallet import (
    ExchangeRate,
    Scheme,
    accept_points,
    acceptances,
    add_scheme,
    exchange_rates,
    report_scheme,
    schemes_by_partner,
    set_exchange_rate,
)

ZOO = Scheme(partner="zoo", title="Paws", points_per_yuan=1, rate_fen=2, valid_days=30)
BUS = attrs.evolve(ZOO, partner="bus", title="Miles")


@pytest.fixture
def conn(wallet):
    with writing(wallet.engine) as conn:
        add_scheme(conn, wallet.ledger, ZOO)
        add_scheme(conn, wallet.ledger, BUS)
        yield conn


def test_a_partner_has_one_scheme_whose_terms_stay(wallet, conn):
    assert not add_scheme(conn, wallet.ledger, ZOO)
    with pytest.raises(SchemeConflict, match="another rate_fen"):
        add_scheme(conn, wallet.ledger, attrs.evolve(ZOO, rate_fen=3))
    assert schemes_by_partner(conn) == {"bus": BUS, "zoo": ZOO}
    report = report_scheme(conn, wallet.ledger, "zoo")
    assert (report.points, report.fund_fen, report.difference) == (0, 0, 0)


def test_who_takes_points_says_for_how_much_and_may_say_otherwise(conn):
    for fen in (1, 2):
        accept_points(conn, "zoo", "shop", fen)
    assert acceptances(conn, "zoo") == {"shop": 2}
    with pytest.raises(WalletInvalid, match="fen_per_point"):
        accept_points(conn, "zoo", "shop", 0)
    with pytest.raises(SchemeUnknown):
        accept_points(conn, "gone", "shop", 1)


def test_rates_stand_between_two_schemes(conn):
    for get in (1, 5):
        set_exchange_rate(conn, ExchangeRate(source="zoo", target="bus", give=2, get=get))
    assert exchange_rates(conn) == [ExchangeRate(source="zoo", target="bus", give=2, get=5)]
    with pytest.raises(WalletInvalid, match="another scheme"):
        set_exchange_rate(conn, ExchangeRate(source="zoo", target="zoo", give=1, get=1))
