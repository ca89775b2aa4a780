"""Two cities exchange a day: each one's cards are used in the other, and both books agree to the fen.

Each has its own store, folder, vault and keys. What joins their terminals is that a SAM holds the purchase
keys of both, as one under a national root does; what joins their books are files.
"""

from __future__ import annotations

import pytest
from twocities import DAY, FERRY, a_day_in_both, carry, open_terminal, pay, totals

from citycard import registry
from citycard.clearing import clear
from citycard.exchange.positions import city_statement, positions
from citycard.exchange.receiving import receive as receive_files
from citycard.exchange.reports import exchange_status
from citycard.exchange.sending import send
from citycard.exchange.settling import settle
from citycard.registry import CityFee, Used
from citycard.store import writing
from citycard.wallet.addresses import city_receivable, partner_payable, payable_of


def test_a_card_of_another_city_is_used_here_and_its_city_pays_for_it(sides):
    east, west = sides
    open_terminal(east, west)
    pay(east, west, 0, 350)
    east.hand_in()
    report = clear(east.city)
    assert [(one.code, one.records, one.amount_fen) for one in report.totals] == [("X01", 1, 350)]
    (file,) = carry(east, west)
    assert (file.state, file.records, file.amount_fen) == ("accepted", 1, 350)
    report = clear(west.city)
    assert [(one.code, one.records, one.amount_fen) for one in report.totals] == [("OK", 1, 350)]
    # The fee is 0.6 % of 350 fen, 2.1, and a fen: 3 fen stay with the issuer.
    (file,) = carry(west, east)
    assert (file.state, file.gross_fen, file.fee_fen) == ("accepted", 350, 3)
    assert east.balances(city_receivable(west.code)) == (347,)
    assert west.balances(payable_of(f"city/{east.code}")) == (347,)
    # The operator is owed its fare without that fee and the clearing fee of 1 %, rounded: 350 - 3 - 4.
    assert east.balances(partner_payable("ferry"), "control/window") == (343, 0)
    assert clear(east.city).partners[0].paid_fen == 343


def test_a_day_in_both_directions_leaves_both_books_the_same(sides):
    east, west = sides
    a_day_in_both(east, west)
    assert {one.code: one.records for one in clear(east.city).totals} == {"X01": 4}
    assert {one.code: one.records for one in clear(west.city).totals} == {"X01": 2}

    # A file is cut on its way, sent again, and then once more.
    (file,) = send(east.city)
    data = (east.city.folder / file.path).read_bytes()
    (cut,) = receive_files(west.city, [(file.name, data[: len(data) // 2])])
    assert (cut.state, cut.code) == ("quarantined", "F07")
    assert receive_files(west.city, [(file.name, data)])[0].state == "accepted"
    again = receive_files(west.city, [(file.name, data)])[0]
    assert (again.state, again.code) == ("duplicate", "F04")
    assert send(east.city) == []
    assert [one.state for one in carry(west, east)] == ["accepted"]
    assert totals(east, "out") == {"waiting": (4, 820)}

    assert {one.code: one.records for one in clear(west.city).totals} == {
        "OK": 1,
        "B02": 1,
        "T01": 1,
        "B01": 1,
    }
    assert {one.code: one.records for one in clear(east.city).totals} == {"OK": 2}
    answered = carry(west, east) + carry(east, west)
    assert [(one.gross_fen, one.fee_fen) for one in answered] == [(500, 5), (590, 6)]
    ended = {"OK": (1, 350), "B02": (1, 150), "T01": (1, 200), "B01": (1, 120)}
    assert totals(east, "out") == totals(west, "in") == ended
    assert totals(west, "out") == totals(east, "in") == {"OK": (2, 590)}
    assert east.balances(city_receivable("9902"), payable_of("city/9902")) == (495, 584)
    assert west.balances(city_receivable("9901"), payable_of("city/9901")) == (584, 495)
    assert [west.purse_fen(place) for place in range(3)] == [4650, 5000, 4850]
    assert east.balances("control/window", "income/city-fee") == (0, 6)
    assert west.balances("control/window", "income/city-fee") == (0, 5)
    assert east.balances(partner_payable("ferry")) == (500 - 5 - 5,)

    at_east, at_west = positions(east.city), positions(west.city)
    assert [(one.window, one.city, one.net_fen) for one in at_east] == [(DAY, "9901", -89), (DAY, "9902", 89)]
    assert at_east == at_west

    for side in sides:
        side.later(hours=24)
    (ours,), (theirs,) = (settle(side.city, DAY, actor="clerk") for side in sides)
    assert (ours.net_fen, theirs.net_fen) == (-89, 89)
    assert (ours.payment is None, theirs.payment is None) == (False, True)
    assert east.balances(city_receivable("9902"), payable_of("city/9902")) == (0, 0)
    assert west.balances(city_receivable("9901"), payable_of("city/9901")) == (89, 0)
    assert [settle(side.city, DAY, actor="clerk") for side in sides] == [[], []]
    assert (city_statement(east.city, "9902").net_fen, city_statement(east.city, "9902").open_fen) == (-89, 0)


def test_the_same_record_in_another_batch_is_a_duplicate_at_once(sides):
    east, west = sides
    open_terminal(east, west)
    pay(east, west, 0, 350)
    (record,) = east.terminal.records
    east.hand_in()
    clear(east.city)
    east.terminal._batch.add(record)
    pay(east, west, 0, 100, minutes=1)
    east.hand_in()
    assert {one.code: one.records for one in clear(east.city).totals} == {"D04": 1, "X01": 1}
    assert [file.records for file in send(east.city)] == [1, 1]


def test_a_file_that_is_missing_a_number_is_said_and_comes_later(sides):
    east, west = sides
    open_terminal(east, west)
    for minutes in (0, 1):
        pay(east, west, 0, 100, minutes=minutes)
        east.hand_in()
        clear(east.city)
    first, second = (east.city.folder / file.path for file in send(east.city))
    receive_files(west.city, [second])
    (missing,) = exchange_status(west.city).missing
    assert (missing.city, missing.kind, missing.number) == ("9901", "records", 1)
    # The card's counters say the same: one is missing, and comes late.
    assert {one.code for one in clear(west.city).totals} == {"C01"}
    receive_files(west.city, [first])
    assert exchange_status(west.city).missing == ()
    assert {one.code for one in clear(west.city).totals} == {"L01"}
    assert [file.gross_fen for file in carry(west, east)] == [100, 100]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda data: data.replace(b'"line":1', b'"line":2'), "F03"),
        (lambda data: data[:-4] + b'0"}\n', "F02"),
        (lambda _: b"", "F07"),
        (lambda _: b"\n" * 3, "F07"),
        (lambda data: data + b"{}\n", "F07"),
    ],
)
def test_a_file_that_was_changed_is_quarantined_and_nothing_comes_of_it(sides, spoil, code):
    east, west = sides
    open_terminal(east, west)
    pay(east, west, 0, 350)
    east.hand_in()
    clear(east.city)
    (file,) = send(east.city)
    data = (east.city.folder / file.path).read_bytes()
    assert [one.code for one in receive_files(west.city, [("file", spoil(data))])] == [code]
    assert not clear(west.city).changed
    assert receive_files(east.city, [("file", data)])[0].code == "F01"
    assert receive_files(west.city, [("file", data)])[0].code == "OK"


def test_an_answer_with_another_fee_than_agreed_is_quarantined(sides):
    east, west = sides
    with writing(west.city.engine) as conn:
        registry.set_city_fee(
            conn, CityFee(city="9901", used=Used.THERE, service=FERRY, valid_from=DAY, bp=100)
        )
    open_terminal(east, west)
    pay(east, west, 0, 350)
    east.hand_in()
    clear(east.city)
    carry(east, west)
    clear(west.city)
    (answer,) = carry(west, east)
    assert (answer.state, answer.code) == ("quarantined", "F09")
    assert "line 1 has a fee of 4 fen, and 3 were agreed" in answer.reason
    # Agreed here too, the same file is taken.
    with writing(east.city.engine) as conn:
        registry.set_city_fee(
            conn, CityFee(city="9902", used=Used.HERE, service=FERRY, valid_from=DAY, bp=100)
        )
    sent = west.city.folder / "exchange" / "out" / "9901" / answer.name
    assert receive_files(east.city, [sent])[0].state == "accepted"
    assert receive_files(east.city, [sent])[0].state == "duplicate"
    assert east.balances(city_receivable("9902")) == (346,)
