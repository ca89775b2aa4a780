"""What a closed run tells of payments at kiosks whose card was taken away too early."""

import datetime as dt
from uuid import uuid4

import pytest

from citycard.clearing.casecodes import Bearer, Ruling
from citycard.clearing.deciding import Decision, decide
from citycard.clearing.exceptions import find_exceptions
from citycard.errors import CardRemoved
from citycard.store import reading
from citycard_community.billing import asked_from_purse


def test_a_payment_whose_record_people_decide_to_pay_is_finished(estate, torn_away):
    card = estate.town.card()
    estate.town.load(card, 60_000)
    estate.home(card)
    estate.city.plugins.run_job("community.bill")
    # The clock of the kiosk is five days fast, so that clearing holds the record for people to look at.
    kiosk, fast = estate.kiosk(), estate.now + dt.timedelta(days=5)
    commands = 0
    while estate.town.balance_fen(card) == 60_000:
        commands += 1
        with pytest.raises(CardRemoved):
            kiosk.pay(torn_away(card.reader, commands, done=True), 1, fast)
    # The power fails when the till has learnt how the payment ended, before the kiosk could tell the city.
    with pytest.raises(PowerFailed):
        kiosk.till.serve(card.reader, fast + dt.timedelta(minutes=5), power_fails)
    estate.town.clear(kiosk.till)
    assert len(asked(estate)) == 1

    ruling = Decision(how=Ruling.ACCEPTED, bearer=Bearer.CARD, reason="clock", evidence="log-1")
    for case in find_exceptions(estate.city):
        for person in ("Wang", "Li") if case.amount_fen else ():  # so much needs a second person
            decide(estate.city, case.id, ruling, actor=person, step=uuid4())
    estate.town.clear()
    assert asked(estate) == []
    assert estate.owed(card) == [(1, 0)]


class PowerFailed(Exception):
    """The kiosk went dark."""


def power_fails(visit):
    raise PowerFailed


def asked(estate):
    with reading(estate.city.engine) as conn:
        return asked_from_purse(conn)
