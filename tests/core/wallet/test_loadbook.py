import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import attrs
import pytest
from sqlalchemy.exc import IntegrityError

from citycard.ledger import Ledger
from citycard.store import reading, writing
from citycard.wallet import Load, LoadState, Proof, loads_of
from citycard.wallet.load import LoadMoney
from citycard.wallet.loadbook import StoredBook, keep

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
