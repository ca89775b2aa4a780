"""The exchange of two cities, cut at every statement: what is done again in the end is done once."""

from __future__ import annotations

from contextlib import contextmanager

from sqlalchemy import event
from twocities import DAY, open_terminal, pay

from citycard.clearing import clear
from citycard.exchange.receiving import receive
from citycard.exchange.reports import exchange_status
from citycard.exchange.sending import send
from citycard.exchange.settling import settle
from citycard.wallet.addresses import city_receivable, partner_payable, payable_of


class Cut(Exception):
    """The power went."""


@contextmanager
def cutting(engine, number):
    """Let the statement with this number, counted from 1, fail."""
    counted = [0]

    def count(*_):
        counted[0] += 1
        if counted[0] == number:
            raise Cut

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)


def cut_everywhere(side, work):
    """Cut work at every statement, one after the other, until it ends; return how often it was cut."""
    number = 0
    while True:
        number += 1
        with cutting(side.city.engine, number):
            try:
                work()
            except Cut:
                continue
        return number - 1


def files_for(source, target):
    """Give the files that were made for a city, in their order."""
    return sorted((source.city.folder / "exchange" / "out" / target.code).glob("*.ccx"))


def test_whatever_is_cut_and_done_again_is_done_once(sides):
    east, west = sides
    open_terminal(east, west)
    pay(east, west, 0, 350)
    pay(east, west, 1, 200)
    east.hand_in()
    clear(east.city)
    assert cut_everywhere(east, lambda: send(east.city)) > 5
    (records,) = files_for(east, west)
    assert cut_everywhere(west, lambda: receive(west.city, [records])) > 5
    clear(west.city)
    assert cut_everywhere(west, lambda: send(west.city)) > 5
    (answers,) = files_for(west, east)
    assert cut_everywhere(east, lambda: receive(east.city, [answers])) > 5
    accepted = [[one.state.value for one in exchange_status(side.city).files] for side in sides]
    assert accepted == [["accepted"] * 2] * 2
    # Fees of 3 and 2 fen, and the clearing fee of 1 %, rounded to 6.
    assert east.balances(city_receivable("9902"), partner_payable("ferry")) == (545, 539)
    assert west.balances(payable_of("city/9901"), "control/window") == (545, 0)
    for side in sides:
        side.later(hours=24)
        assert cut_everywhere(side, lambda city=side.city: settle(city, DAY, actor="clerk")) > 5
    assert east.balances(city_receivable("9902")) == (545,)
    assert west.balances(payable_of("city/9901"), "transit/settlement") == (0, -545)
