from uuid import UUID

import pytest

from citycard.ledger.chart import Guard
from citycard.ledger.standing import Standing

KEY = UUID(int=1)


@pytest.mark.parametrize(("fen", "refused"), [(40, False), (41, True)])
def test_what_is_pending_counts_in_a_guard(fen, refused):
    assert Standing(KEY, Guard.NONE).refuses_debit(fen) is False
    held = Standing(KEY, Guard.DEBITS_WITHIN_CREDITS, 50, 100, 10, 0)
    assert held.refuses_debit(fen) is refused
    fund = Standing(KEY, Guard.CREDITS_WITHIN_DEBITS, 100, 50, 0, 10)
    assert fund.refuses_credit(fen) is refused
