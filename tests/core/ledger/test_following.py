"""What follows a transfer is like it, but for what was said otherwise."""

from datetime import UTC, date, datetime
from uuid import UUID

import attrs
import pytest

from citycard.errors import TransferInvalid
from citycard.ledger import Kind, Limit, capture, release, reversal

GIVEN = {"id": UUID(int=2), "event_time": datetime(2018, 9, 2, 9), "business_date": date(2018, 9, 2)}


@pytest.fixture
def held(move):
    expires_at = datetime(2018, 9, 3, tzinfo=UTC)
    more = {"group": UUID(int=7), "ref": "ride/1", "limits": (Limit(key="day", max_fen=9),)}
    return move(1, "purse/1", "shop", 9, kind=Kind.PENDING, expires_at=expires_at, **more)


def test_a_capture_takes_all_or_what_is_said(held, move):
    whole = capture(held, **GIVEN)
    same = {"kind": Kind.POST, "pending_id": held.id, "ref": "ride/1"}
    assert whole == move(2, "purse/1", "shop", 9, **same | {k: v for k, v in GIVEN.items() if k != "id"})
    part = capture(held, **GIVEN, amount_fen=4, code=21, ref="gate/2", group=UUID(int=8))
    assert part == attrs.evolve(whole, amount_fen=4, code=21, ref="gate/2", group=UUID(int=8))


def test_a_capture_of_nothing_is_no_capture(held):
    with pytest.raises(TransferInvalid, match="amount_fen is 0"):
        capture(held, **GIVEN, amount_fen=0)


def test_a_release_lets_go_of_everything(held):
    let_go = release(held, **GIVEN)
    assert let_go == attrs.evolve(capture(held, **GIVEN), kind=Kind.VOID)
    other = release(held, **GIVEN, code=22, ref="", group=UUID(int=9))
    assert other == attrs.evolve(let_go, code=22, ref="", group=UUID(int=9))


def test_a_reversal_goes_back_by_the_way_the_money_came(held):
    taken = capture(held, **GIVEN, amount_fen=6)
    given = GIVEN | {"id": UUID(int=3)}
    back = reversal(taken, **given, code=90)
    fields = {"debit_address": "shop", "credit_address": "purse/1", "kind": Kind.SINGLE, "reverses": taken.id}
    assert back == attrs.evolve(taken, id=UUID(int=3), pending_id=None, code=90, **fields)
    part = reversal(taken, **given, code=91, amount_fen=1, ref="claim/5", group=UUID(int=4))
    assert part == attrs.evolve(back, code=91, amount_fen=1, ref="claim/5", group=UUID(int=4))


def test_what_was_taken_back_can_be_taken_back_in_its_turn(held):
    taken = capture(held, **GIVEN)
    back = reversal(taken, **GIVEN | {"id": UUID(int=3)}, code=90)
    again = reversal(back, **GIVEN | {"id": UUID(int=4)}, code=90)
    assert (again.debit_address, again.credit_address, again.reverses) == ("purse/1", "shop", back.id)
