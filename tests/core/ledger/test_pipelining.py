"""What is posted comes back as it was sent, be it few or many at a time."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from citycard.ledger import Kind, Limit
from citycard.store import reading, writing

REFS = ["", "NULL", '"', "\\", "\\N", "{a,b}", "it's", "run/2018-09-01/1", "公交 1 路", "a b", "%s", "'); --"]


@pytest.mark.parametrize("times", [1, 50])
def test_every_field_comes_back_as_it_was_sent(ledger, store, move, times):
    sent = []
    for number, ref in enumerate(REFS * times, 1):
        more = {"group": UUID(int=1)} if number % 3 == 0 else {}
        if number % 4 == 0:
            expires_at = datetime(2100, 1, 1, 0, 0, 0, number, tzinfo=UTC) if number % 8 == 0 else None
            more |= {"kind": Kind.PENDING, "expires_at": expires_at, "limits": (Limit(key=f"day {ref}"),)}
        if number == 7:
            more |= {"reverses": UUID(int=1)}
        way = ("shop", "bank") if number == 7 else ("bank", "shop")
        amount_fen = 10**15 if number == 1 else number
        event_time = datetime(2018, 9, 1, 8, 30, 1, number)
        sent.append(move(number, *way, amount_fen, ref=ref, event_time=event_time, **more))
    with writing(store) as conn:
        ledger.post_all(conn, sent)
    with reading(store) as conn:
        found = ledger.find(conn, [one.id for one in sent])
        assert ledger.audit(conn) == []
        holds = [ledger.hold(conn, one.id) for one in sent if one.kind is Kind.PENDING]
    for one in sent:
        back = found[one.id].transfer
        fields = (back.event_time, back.business_date, back.ref, back.group, back.kind, back.expires_at)
        wanted = (one.event_time, date(2018, 9, 1), one.ref, one.group, one.kind, one.expires_at)
        assert (fields, back.amount_fen, back.reverses) == (wanted, one.amount_fen, one.reverses)
    assert [one.expires_at for one in holds] == [one.expires_at for one in sent if one.kind is Kind.PENDING]
    # Members of the group stand where the first of them stands, all others in the order in which they came.
    ordered = sorted(found.values(), key=lambda one: one.posted_seq)
    grouped = [one for one in sent if one.group is not None]
    first = sent.index(grouped[0])
    alone = [one for one in sent if one.group is None]
    assert [one.transfer.id for one in ordered] == [
        one.id for one in (*alone[:first], *grouped, *alone[first:])
    ]


@pytest.mark.parametrize("many", [1, 600])
def test_what_the_database_refuses_is_said_in_the_same_words_everywhere(ledger, store, post, move, many):
    post(move(1, "bank", "shop", 5))
    with writing(store) as conn:  # somebody else's row stands where the next one belongs
        names = "pending_id, expires_at, reverses, event_time, business_date, ref, posted_at"
        row = "id, dr_account, cr_account, posted_seq, posted_seq, amount_fen, code, kind, group_id"
        conn.execute(text(f"INSERT INTO transfer SELECT posted_seq + 1, {row}, {names} FROM transfer"))
    with pytest.raises(IntegrityError), writing(store) as conn:
        ledger.post(conn, [move(10 + number, "bank", "shop", 1) for number in range(many)])
    with reading(store) as conn:
        assert ledger.balance_fen(conn, "shop") == 5


def test_who_commits_by_hand_has_it_committed(ledger, store, post, move):
    post(move(9, "bank", "purse/1", 1))
    with store.connect() as conn:
        ledger.post_all(conn, [move(1, "bank", "shop", 5)])
        conn.commit()
        ledger.post_all(conn, [move(2, "bank", "shop", 7)])
        conn.rollback()
    with reading(store) as conn:
        assert ledger.balance_fen(conn, "shop") == 5
