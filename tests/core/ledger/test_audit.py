import pytest
from sqlalchemy import text

from citycard.store import reading, writing


@pytest.fixture
def posted(ledger, post, move):
    post(move(1, "bank", "purse/1", 500), move(2, "purse/1", "shop", 120), move(3, "nowhere", "shop", 1))
    return ledger


def test_a_ledger_in_order_has_nothing_to_say(posted, store):
    with reading(store) as conn:
        assert posted.audit(conn) == []


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE balance SET cr_posted_fen = cr_posted_fen + 1 WHERE cr_posted_fen = 500", ["I1", "I2"]),
        ("UPDATE balance SET dr_pending_fen = 3 WHERE dr_posted_fen = 500", ["I1"]),
        ("DELETE FROM balance WHERE cr_posted_fen = 120", ["I1", "I2"]),
        ("UPDATE balance SET guard = 'none' WHERE guard = 'dr<=cr'", ["I5"]),
        ("UPDATE ledger SET posted_seq = 9", ["I6"]),
        ("INSERT INTO request SELECT dr_account, 'x', 'posted', posted_at FROM transfer LIMIT 1", ["I3"]),
    ],
)
def test_damage_is_found_and_named(posted, store, damage, found):
    with writing(store) as conn:
        conn.execute(text(damage))
        assert [one.invariant for one in posted.audit(conn)] == found
