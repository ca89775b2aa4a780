from uuid import UUID

import attrs
import pytest
from sqlalchemy import text

from citycard.ledger import Kind, capture
from citycard.store import reading, writing


@pytest.fixture
def posted(ledger, post, move):
    held = move(4, "purse/2", "shop", 30, kind=Kind.PENDING)
    post(move(1, "bank", "purse/1", 500), move(2, "purse/1", "shop", 120), move(3, "nowhere", "shop", 1))
    post(held, attrs.evolve(held, id=UUID(int=5), amount_fen=9))
    post(
        capture(
            held, id=UUID(int=6), amount_fen=20, event_time=held.event_time, business_date=held.business_date
        )
    )
    return ledger


def test_a_ledger_in_order_has_nothing_to_say(posted, store):
    with reading(store) as conn:
        assert posted.audit(conn) == []


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE balance SET cr_posted_fen = cr_posted_fen + 1 WHERE cr_posted_fen = 500", ["I1", "I2"]),
        ("UPDATE balance SET dr_pending_fen = 3 WHERE dr_posted_fen = 500", ["I1", "I4"]),
        ("DELETE FROM balance WHERE cr_posted_fen = 140", ["I1", "I1", "I2"]),
        ("UPDATE balance SET last_seq = 9 WHERE dr_posted_fen = 500", ["I2"]),
        ("UPDATE balance SET transfers = 9 WHERE dr_posted_fen = 500", ["I2"]),
        ("UPDATE balance SET guard = 'none' WHERE guard = 'dr<=cr'", ["I5"]),
        ("UPDATE balance SET currency = 'PTS' WHERE guard = 'dr<=cr'", ["I5"]),
        ("UPDATE hold SET state = 'voided' WHERE state = 'posted'", ["I4"]),
        ("UPDATE hold SET state = 'posted' WHERE state = 'pending'", ["I4", "I4", "I4"]),
        ("UPDATE hold SET amount_fen = 19 WHERE state = 'posted'", ["I4"]),
        ("DELETE FROM hold WHERE state = 'posted'", ["I4"]),
        ("UPDATE hold SET expires_at = '2018-09-01 00:00:00' WHERE state = 'pending'", ["I4"]),
        ("UPDATE hold SET expires_at = '2018-09-01 00:00:00' WHERE state = 'posted'", []),
        ("UPDATE ledger SET posted_seq = 9", ["I6"]),
        (
            "INSERT INTO request SELECT dr_account, 'x', 'posted', 77, posted_at FROM transfer LIMIT 1",
            ["I3"],
        ),
    ],
)
def test_damage_is_found_and_named(posted, store, damage, found):
    with writing(store) as conn:
        conn.execute(text(damage))
        assert [one.invariant for one in posted.audit(conn)] == found


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE transfer SET dr_before = 0 WHERE posted_seq = 5", ["I2"]),
        ("UPDATE transfer SET amount_fen = amount_fen + 1 WHERE posted_seq = 1", ["I2", "I2"]),
        ("UPDATE transfer SET kind = 'void' WHERE kind = 'post'", ["I2", "I2", "I4"]),
        ("UPDATE transfer SET posted_at = '2001-01-01 00:00:00' WHERE posted_seq = 3", ["I6"]),
        ("UPDATE transfer SET reverses = pending_id WHERE kind = 'post'", ["I5"]),
        ("DELETE FROM transfer WHERE posted_seq = 5", ["I2", "I2", "I3", "I4", "I6"]),
    ],
)
def test_damage_behind_the_back_of_the_database_is_found_too(posted, store, damage, found):
    with writing(store) as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("ALTER TABLE transfer DISABLE TRIGGER ALL"))
        else:
            conn.execute(text("DROP TRIGGER transfer_no_update"))
            conn.execute(text("DROP TRIGGER transfer_no_delete"))
        conn.execute(text(damage))
        assert [one.invariant for one in posted.audit(conn)] == found
