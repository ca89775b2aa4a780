from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from citycard.clock import FixedClock
from citycard.ledger import Ledger
from citycard.ledger.tables import account, account_seal, balance, ledger, request, transfer
from citycard.store import reading, writing
from citycard.wallet import Load, LoadState, Proof
from citycard.wallet.firstloads import keep_firsts
from citycard.wallet.load import load_id
from citycard.wallet.loadbook import keep
from citycard.wallet.tables import load

AT = datetime(2018, 9, 1, 4)
ASNS = [f"{number:020d}" for number in (31, 7, 5, 110, 6)]
AMOUNTS_FEN = [1000, 2500, 1, 99_999, 1000]
TABLES = (account, account_seal, balance, ledger, load, request, transfer)


NOON = FixedClock(datetime(2018, 9, 1, 12, tzinfo=UTC))


def proven(asn, amount_fen, mac1="00000000"):
    return Load(
        id=load_id(asn, 0, bytes.fromhex(mac1), "1" * 12, AT),
        asn=asn,
        online_atc=0,
        key_version=1,
        amount_fen=amount_fen,
        balance_before_fen=0,
        terminal="1" * 12,
        agent="",
        at=AT,
        mac1=mac1,
        state=LoadState.PROVEN,
        proof=Proof.TAC,
        tac="0A0B0C0D",
    )


def written(conn):
    return [sorted(map(tuple, conn.execute(select(table))), key=repr) for table in TABLES]


@pytest.mark.parametrize("before", [0, 2])
def test_first_loads_leave_in_the_store_what_loads_kept_one_by_one_leave(store, before):
    book = Ledger(store, NOON)
    earlier = [proven(f"{number:020d}", 300) for number in range(1000, 1000 + before)]
    loads = [proven(asn, amount_fen) for asn, amount_fen in zip(ASNS, AMOUNTS_FEN, strict=True)]
    with writing(store) as conn:
        keep(conn, book, earlier)
    with store.connect() as conn:
        keep(conn, book, loads)
        wanted = written(conn)
        conn.rollback()
    with writing(store) as conn:
        keep_firsts(conn, book, proven("", 1), ASNS, AMOUNTS_FEN)
        assert written(conn) == wanted
    with reading(store) as conn:
        assert book.audit(conn) == []


def test_of_no_cards_nothing_is_written(store):
    book = Ledger(store, NOON)
    with writing(store) as conn:
        keep(conn, book, [proven(ASNS[0], 300)])
        keep(conn, book, [attrs.evolve(proven(ASNS[1], 300), agent="kiosk")])
        before = written(conn)
        keep_firsts(conn, book, proven("", 1), [], [])
        assert written(conn) == before
    with reading(store) as conn:
        assert book.audit(conn) == []


def test_a_card_that_was_loaded_before_is_refused_and_nothing_is_kept(store):
    book = Ledger(store, NOON)
    with writing(store) as conn:
        keep(conn, book, [proven(ASNS[1], 300, mac1="01020304")])
        before = written(conn)
    with pytest.raises(IntegrityError), writing(store) as conn:
        keep_firsts(conn, book, proven("", 1), ASNS, AMOUNTS_FEN)
    with reading(store) as conn:
        assert written(conn) == before
    with writing(store) as conn:
        keep_firsts(conn, book, proven("", 1), ASNS[2:], AMOUNTS_FEN[2:])


def test_more_than_one_card_of_a_number_is_refused(store):
    with pytest.raises(IntegrityError), writing(store) as conn:
        keep_firsts(conn, Ledger(store, NOON), proven("", 1), [ASNS[0]] * 2, [100, 100])
