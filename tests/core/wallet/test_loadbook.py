import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import attrs
import pytest
from sqlalchemy.exc import IntegrityError

from citycard.ledger import Ledger
from citycard.store import reading, writing
from citycard.wallet import Load, LoadState, Proof, loads_of
from citycard.wallet.load import LoadMoney
from citycard.wallet.loadbook import (
    BufferedBook,
    StoredBook,
    expired_cards,
    held_loads,
    keep,
    lost_loads,
    open_loads,
    write_loads,
)

ASN = "00000000000000000001"


def attempt(number, online_atc=0, **more):
    values = {
        "id": UUID(int=number),
        "asn": ASN,
        "online_atc": online_atc,
        "key_version": 1,
        "amount_fen": 100,
        "balance_before_fen": 0,
        "terminal": "1" * 12,
        "agent": "",
        "at": datetime(2018, 9, 1, 8, 30),
        "mac1": "01020304",
    }
    return Load(**values | more)


def test_a_page_shows_what_is_open_and_what_came_later(store):
    book = StoredBook(Ledger(store))
    written = [
        attempt(1, 0, state=LoadState.PROVEN, proof=Proof.TAC),
        attempt(2, 1, state=LoadState.REVERSED),
        attempt(3, 2, state=LoadState.PROVEN, proof=Proof.TAC),
        attempt(4, 3),
    ]
    with book.page(ASN, 0) as page:
        for one in written:
            page.write(one)
    with book.page(ASN, 2) as page:
        assert sorted(one.id.int for one in page.loads) == [2, 3, 4]
    with reading(store) as conn:
        taken = [attrs.evolve(one, money=LoadMoney.TAKEN) for one in written if one.state is LoadState.PROVEN]
        assert loads_of(conn, ASN) == sorted([*taken, written[1], written[3]], key=lambda one: one.online_atc)


def test_an_error_on_a_page_leaves_the_book_as_it_was(store):
    book = StoredBook(Ledger(store))
    torn = contextlib.suppress(ZeroDivisionError)
    with torn, book.page(ASN, 0) as page:
        page.write(attempt(1))
        page.write(attempt(2, amount_fen=1 // 0))
    with reading(store) as conn:
        assert loads_of(conn, ASN) == []


def test_the_database_keeps_two_loads_from_standing_under_one_counter(store):
    with writing(store) as conn:
        keep(conn, Ledger(store), [attempt(1)])
    with pytest.raises(IntegrityError), writing(store) as conn:
        keep(conn, Ledger(store), [attempt(2)])
    with writing(store) as conn:
        keep(conn, Ledger(store), [attempt(1, state=LoadState.REVERSED), attempt(2)])


def test_pages_of_one_card_are_read_one_after_the_other(store):
    book = StoredBook(Ledger(store))

    def step(number):
        with book.page(ASN, 0) as page:
            page.write(attempt(number, online_atc=len(page.loads)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(step, range(1, 13)))
    with reading(store) as conn:
        assert [one.online_atc for one in loads_of(conn, ASN)] == list(range(12))


def card_number(number):
    return f"{number:020d}"


@pytest.fixture
def shelf(store):
    """Write loads of six cards, the later the lower their number, with their money everywhere."""
    begun = datetime(2018, 9, 1, 8)
    kinds = [
        {"money": LoadMoney.HELD},
        {"money": LoadMoney.HELD, "state": LoadState.REVERSED},
        {"money": LoadMoney.HELD, "state": LoadState.REVERSED, "proof": Proof.COUNTER},
        {"money": LoadMoney.LOST, "state": LoadState.PROVEN, "proof": Proof.TAC},
        {"money": LoadMoney.LOST, "state": LoadState.PROVEN, "proof": Proof.TAC},
        {},
    ]
    loads = [
        attempt(number, asn=card_number(number), at=begun - timedelta(hours=number), **more)
        for number, more in enumerate(kinds, 1)
    ]
    again = attempt(9, online_atc=1, asn=card_number(2), at=begun, money=LoadMoney.HELD)
    with writing(store) as conn:
        write_loads(conn, [*loads, again])
    return store


def numbers(loads):
    return [one.id.int for one in loads]


def test_loads_are_listed_by_what_became_of_them_and_in_their_order(shelf):
    with reading(shelf) as conn:
        assert numbers(open_loads(conn)) == [6, 1, 9]
        assert numbers(open_loads(conn, limit=2)) == [6, 1]
        assert numbers(held_loads(conn)) == [2, 1, 9]
        assert numbers(held_loads(conn, limit=1)) == [2]
        assert numbers(lost_loads(conn)) == [4, 5]
        assert numbers(lost_loads(conn, limit=1)) == [4]


def test_cards_with_money_held_for_long_are_named_once_and_the_oldest_first(shelf):
    begun = datetime(2018, 9, 1, 8)
    with reading(shelf) as conn:
        assert expired_cards(conn, begun) == [card_number(2), card_number(1)]
        assert expired_cards(conn, begun - timedelta(hours=2)) == [card_number(2)]
        assert expired_cards(conn, begun - timedelta(hours=2, seconds=1)) == []


def test_a_buffered_page_shows_what_a_stored_one_shows(shelf):
    book = BufferedBook(Ledger(shelf))
    for number in range(1, 7):
        for counter in (0, 1, 2):
            with (
                book.page(card_number(number), counter) as buffered,
                StoredBook(Ledger(shelf)).page(card_number(number), counter) as stored,
            ):
                assert sorted(numbers(buffered.loads)) == sorted(numbers(stored.loads)), (number, counter)


def test_what_is_settled_later_is_written_over_what_was_known(store):
    with writing(store) as conn:
        write_loads(conn, [attempt(1), attempt(2, online_atc=1)])
        held = {"money": LoadMoney.HELD, "hold": UUID(int=7)}
        write_loads(conn, [attempt(1, state=LoadState.PROVEN, proof=Proof.TAC, tac="01020304", **held)])
        first, second = loads_of(conn, ASN)
    settled = (first.state, first.proof, first.tac, first.money, first.hold)
    assert settled == ("proven", "tac", "01020304", "held", UUID(int=7))
    assert second == attempt(2, online_atc=1)
