"""A biller's next file: bills that are replaced, withdrawn, unchanged; and what was paid on them before."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from citycard.store import reading
from citycard_utilities import importing
from citycard_utilities.bills import bill_of, bills_of
from citycard_utilities.errors import BillerUnknown, BillFileInvalid
from citycard_utilities.importing import files_of, take_file
from citycard_utilities.jobs import after_run
from citycard_utilities.paying import pay_bill, receipt_of
from citycard_utilities.tables import bill
from citycard_utilities.tables import bill_file as file_table

WATER, POWER = "water-works", "power-grid"


@pytest.fixture
def send(town, settings, bill_file):
    """Give what sends lines as a biller's next file."""

    def sent(*lines, action="", biller=WATER):
        data = bill_file(*lines, action=action)
        return take_file(town.city, settings, biller, data, file=f"{uuid4()}.csv")

    return sent


@pytest.fixture
def see(town, settings):
    def seen(number, biller=WATER):
        with reading(town.city.engine) as conn:
            found = bill_of(conn, settings, biller, number, town.now.date())
        return found.state, found.amount_fen, found.to_pay_fen, found.revision

    return seen


def test_an_open_bill_is_replaced_withdrawn_and_sent_anew(send, see, due):
    assert send(("W1", "H1", 2000, due), ("W2", "H2", 100, due)).added == 2
    same = send(("W1", "H1", 2000, due), ("W3", "H3", 1, due))
    assert (same.added, same.replaced, same.unchanged) == (1, 0, 1)

    assert send(("W1", "H1", 1500, due)).replaced == 1
    assert see("W1") == ("open", 1500, 1500, 2)
    assert send(("W1", "H1", 1500, due + dt.timedelta(days=9))).replaced == 1
    assert send(("W1", "H1", 0, due), action="withdraw").withdrawn == 1
    assert see("W1")[:3] == ("withdrawn", 1500, 0)
    assert send(("W1", "H1", 0, due), ("W2", "H2", 0, due), action="withdraw").unchanged == 1
    assert send(("W1", "H1", 1700, due)).replaced == 1
    assert see("W1")[:3] == ("open", 1700, 1700)


def test_a_bill_that_is_withdrawn_and_was_never_sent_is_a_bad_line(send, due):
    taken = send(("W404", "H1", 0, due), action="withdraw")
    assert (taken.withdrawn, [(bad.line, bad.field) for bad in taken.bad]) == (0, [(2, "bill")])


@pytest.fixture
def paid(town, settings, send, due):
    """Pay one bill of 20.00 from an account, and one from a card's record."""
    citizen = town.card()
    account = town.account(citizen, 10_000)
    send(("W1", "H1", 2000, due))
    return pay_bill(town.city, settings, uuid4(), account, WATER, "W1"), account


def test_a_paid_bill_that_costs_less_gives_the_difference_back(town, settings, send, see, paid, due):
    assert send(("W1", "H1", 1500, due)).released_fen == 500
    after_run(town.city, settings)
    assert see("W1")[:3] == ("paid", 1500, 0)
    with reading(town.city.engine) as conn:
        found = receipt_of(conn, paid[0].id)
    assert (found.applied_fen, found.returned_fen) == (1500, 500)
    assert town.city.ledger is not None
    town.check_books()


def test_a_paid_bill_that_costs_more_is_open_for_the_rest(send, see, paid, due):
    assert send(("W1", "H1", 2600, due)).released_fen == 0
    assert see("W1")[:3] == ("open", 2600, 600)


def test_a_paid_bill_that_is_withdrawn_gives_all_of_it_back(town, settings, send, see, paid, due):
    assert send(("W1", "H1", 0, due), action="withdraw").released_fen == 2000
    after_run(town.city, settings)
    assert see("W1")[:3] == ("withdrawn", 2000, 0)
    with reading(town.city.engine) as conn:
        assert receipt_of(conn, paid[0].id).returned_fen == 2000
    town.check_books()


def test_bills_of_a_kind_in_another_currency_are_converted_when_they_come(town, settings, send):
    net = "harbour-net"
    taken = send(("N1", "H1", 10_050, dt.date(2026, 3, 20)), biller=net)
    (found,) = bills_of(town.city, settings, net, "H1").bills
    assert (found.currency, found.minor, found.amount_fen, taken.amount_fen) == ("HKD", 10_050, 9246, 9246)


def test_a_file_is_taken_once_and_its_answer_kept(town, settings, bill_file, due):
    data = bill_file(("W1", "H1", 2000, due))
    first = take_file(town.city, settings, WATER, data, file="1.csv")
    again = take_file(town.city, settings, WATER, data, file="other.csv")
    assert (again.repeated, again.file, again.added) == (True, "1.csv", first.added)
    # To another biller it is another file.
    assert not take_file(town.city, settings, POWER, data, file="1.csv").repeated
    with reading(town.city.engine) as conn:
        assert len(files_of(conn)) == 2
        assert len(files_of(conn, POWER)) == 1


def test_a_file_that_is_broken_off_anywhere_leaves_nothing_and_is_taken_again(
    town, settings, bill_file, due, monkeypatch
):
    data = bill_file(*[(f"W{n}", f"H{n}", 100 + n, due) for n in range(50)])
    for name in ("insert_all", "release", "use_credits", "publish"):
        with monkeypatch.context() as broken:
            broken.setattr(importing, name, _broken_off)
            with pytest.raises(_BrokenOffError):
                take_file(town.city, settings, WATER, data, file="1.csv")
        with reading(town.city.engine) as conn:
            assert conn.scalar(select(func.count()).select_from(bill)) == 0
            assert conn.scalar(select(func.count()).select_from(file_table)) == 0
    assert take_file(town.city, settings, WATER, data, file="1.csv").added == 50


class _BrokenOffError(Exception):
    pass


def _broken_off(*_arguments, **_named):
    raise _BrokenOffError


def test_a_file_that_is_too_large_or_of_nobody_is_refused(town, settings):
    with pytest.raises(BillerUnknown):
        take_file(town.city, settings, "nobody", b"", file="1.csv")
    with pytest.raises(BillFileInvalid, match="MiB"):
        take_file(town.city, settings, WATER, bytes(65 * 1024 * 1024), file="1.csv")
