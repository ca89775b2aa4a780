"""What utilities knows of a person is handed over, and erased without the books losing a fen."""

from __future__ import annotations

from uuid import uuid4

import pytest

from citycard.store import writing
from citycard_utilities.errors import HouseholdInvalid
from citycard_utilities.households import forget_household, households_of, keep_household
from citycard_utilities.importing import take_file
from citycard_utilities.mandates import make_mandate
from citycard_utilities.matching import Accepted, match_records
from citycard_utilities.paying import pay_bill
from citycard_utilities.personal import PERSONAL
from citycard_utilities.prepaid import sell_credit

WATER = "water-works"


@pytest.fixture
def person(town, settings, bill_file, due):
    take_file(town.city, settings, WATER, bill_file(("W1", "H1", 500, due)), file="1.csv")
    card = town.card()
    town.load(card, 5_000)
    account = town.account(card, 5_000)
    pay_bill(town.city, settings, uuid4(), account, WATER, "W1")
    make_mandate(town.city, settings, uuid4(), account, WATER, "H1")
    keep_household(town.city, settings, card.asn, WATER, "H1", "home")
    desk = town.till(town.terminal("gas-works"))
    gas = settings.biller("gas-works")
    desk.serve(card.reader, town.now, sell_credit(gas, town.city.vault.card_key, "000000420017", 100))
    town.clear(desk)
    return card.asn


def known(conn, asn):
    return {kind.name: len(list(kind.export(conn, asn))) for kind in PERSONAL}


def test_everything_is_handed_over_and_then_erased(town, person):
    with writing(town.city.engine) as conn:
        assert known(conn, person) == {"receipts": 1, "mandates": 1, "households": 1, "prepaid": 1}
        assert [kind.erase(conn, person) for kind in PERSONAL] == [1, 1, 1, 1]
        assert known(conn, person) == dict.fromkeys(known(conn, person), 0)
        assert [kind.erase(conn, person) for kind in PERSONAL] == [0, 0, 0, 0]
    town.check_books()


def test_a_household_is_kept_once_with_the_name_its_citizen_gives(town, settings, person):
    for label in ("home", "again"):
        keep_household(town.city, settings, person, WATER, "H1", label)
    with writing(town.city.engine) as conn:
        assert [(one.number, one.label) for one in households_of(conn, person)] == [("H1", "home")]
    for number, label in (("H404", ""), ("H1", "x" * 41), ("H1", "a\nb")):
        with pytest.raises(HouseholdInvalid):
            keep_household(town.city, settings, person, WATER, number, label)
    assert [forget_household(town.city, person, WATER, "H1") for _ in range(2)] == [True, False]


def test_records_of_other_services_are_left_alone(town, settings):
    with writing(town.city.engine) as conn:
        taken, _, _ = match_records(
            conn, settings, [Accepted("9-1-1", "1" * 20, 7, 5, town.now, bytes(48))], 1
        )
    assert taken.receipts == 0
