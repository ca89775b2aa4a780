from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from citycard.clearing.context import Share
from citycard.clearing.intake import receive
from citycard.clearing.pricing import PriceRequest, RuleBook, quote
from citycard.clearing.rating import Asked, Charge, Rating
from citycard.clearing.run import clear

MORNING = datetime.fromisoformat("2018-09-01T06:00:00")


class Counting:
    """Rates that say how often they were asked; ``fails`` is how often they answer with an error first."""

    def __init__(self, fails=0):
        self.asked, self.fails = 0, fails

    def rate(self, record):
        self.asked += 1
        if self.asked <= self.fails:
            raise RuntimeError("not now")
        request = PriceRequest(service="ride", at=record.at, list_price_fen=record.list_price_fen)
        return Rating(quote=quote(request, RuleBook([])), shares=(Share(partner="metro"),))


@pytest.fixture
def record(town):
    (card,) = town.issue(1)
    card.balance_fen = 500
    return town.tap(card, 300, MORNING)


def test_what_is_alike_is_asked_for_once(record):
    rates, asked = Counting(), Asked()
    charges = [
        asked.charge(rates, service, alike, record)
        for service, alike in ((1, b"a"), (1, b"a"), (1, b"b"), (2, b"a"))
    ]
    assert charges == [Charge(300, (("metro", 1),))] * 4
    assert rates.asked == 3


def test_a_price_that_could_not_be_asked_for_is_asked_for_again(record):
    rates, asked = Counting(fails=1), Asked()
    assert [asked.charge(rates, 1, b"a", record) for _ in range(2)] == [None, Charge(300, (("metro", 1),))]


def test_a_charge_names_only_those_who_get_something():
    shares = (
        Share(partner="metro", weight=3),
        Share(partner="bus", weight=1),
        Share(partner="none", weight=0),
    )
    assert Charge.of(Rating(quote=None, shares=shares)) == Charge(-1, (("bus", 1), ("metro", 3)))


def test_a_share_without_a_name_is_that_of_the_terminals_partner(town):
    town.shares[2] = (Share(weight=994), Share(partner="poor", weight=6))
    town.alike = lambda _, records: np.zeros((len(records), 1), np.uint8)
    gates = ("344000000001", "344000000003")
    for card, gate in zip(town.issue(1, 2), gates, strict=True):
        town.load(card, 5000)
        town.tap(card, 1000, MORNING, gate, service=2)
    receive(town, [town.batch(gate) for gate in gates])
    earned = {one.partner: one.gross_fen for one in clear(town).partners}
    assert earned == {"bus": 994, "metro": 994, "poor": 12}


def test_records_that_are_alike_end_as_if_each_was_rated_for_itself(towns_of, tmp_path):
    """Different amounts, payees and acquirers, some of them alike; one town knows what is alike."""

    def cleared(name, alike):
        town = towns_of(tmp_path / name)
        town.alike = alike
        town.shares[2] = (Share(partner="metro", weight=2), Share(partner="bus", weight=1))
        cards = town.issue(*range(1, 9))
        for card in cards:
            town.load(card, 5000)
        for number in range(40):
            terminal = ("344000000001", "344000000003")[number % 2]
            town.tap(
                cards[number % 8],
                (200, 300, 301)[number % 3],
                MORNING + timedelta(minutes=number),
                terminal,
                service=1 + number // 20,
                list_price_fen=(200, 300, 300, 20_000)[number % 4],
            )
        receive(town, [town.batch(), town.batch("344000000003")])
        report = clear(town)
        return report.totals, report.notes, report.partners, report.digest, report.price_difference_fen

    def by_price(_, records):
        prices = np.ascontiguousarray(records["list_price_fen"])
        return prices.view(np.uint8).reshape(len(prices), -1)

    alone = cleared("alone", lambda _service, _records: None)
    assert cleared("together", by_price) == alone
    assert {total.code for total in alone[0]} == {"OK", "P01", "P03"}


def test_a_ride_that_is_not_priced_is_accepted_as_charged(town):
    (card,) = town.issue(1)
    town.load(card, 500)
    town.tap(card, 300, MORNING)
    town.rate = lambda _record: Rating(quote=None)
    receive(town, [town.batch()])
    assert [(total.code, total.amount_fen) for total in clear(town).totals] == [("OK", 300)]
