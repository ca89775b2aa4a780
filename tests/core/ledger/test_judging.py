from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import attrs

from citycard.ledger import Kind
from citycard.ledger.judging import digest_of, first_difference


def test_the_digest_leaves_out_only_the_id(move):
    base = move(1, "bank", "shop", 5)
    assert digest_of(base) == digest_of(move(2, "bank", "shop", 5))
    others = [
        move(1, "bank2", "shop", 5),
        move(1, "bank", "shop2", 5),
        move(1, "bank", "shop", 6),
        move(1, "bank", "shop", 5, code=21),
        move(1, "bank", "shop", 5, event_time=base.event_time.replace(minute=31)),
        move(1, "bank", "shop", 5, business_date=base.business_date.replace(day=2)),
        move(1, "bank", "shop", 5, group=UUID(int=1)),
        move(1, "bank", "shop", 5, ref="x"),
    ]
    assert len({digest_of(base), *map(digest_of, others)}) == 9
    assert [first_difference(base, other) for other in others] == [
        "debit_address",
        "credit_address",
        "amount_fen",
        "code",
        "event_time",
        "business_date",
        "group",
        "ref",
    ]


def test_the_digest_of_a_hold_its_end_and_what_is_taken_back_has_what_only_they_have(move):
    later = datetime(2018, 9, 2, 8, tzinfo=UTC)
    held = move(1, "bank", "shop", 5, kind=Kind.PENDING, expires_at=later)
    elsewhere = later.astimezone(timezone(timedelta(hours=8)))
    assert digest_of(held) == digest_of(attrs.evolve(held, expires_at=elsewhere))
    ended = {"debit": "bank", "credit": "shop", "amount_fen": 5}
    different = [
        move(1, **ended),
        move(1, "purse/1", "shop", 5, kind=Kind.PENDING, expires_at=later),
        held,
        attrs.evolve(held, expires_at=later.replace(hour=9)),
        attrs.evolve(held, expires_at=None),
        move(1, **ended, kind=Kind.POST, pending_id=UUID(int=7)),
        move(1, **ended, kind=Kind.VOID, pending_id=UUID(int=7)),
        move(1, **ended, kind=Kind.POST, pending_id=UUID(int=8)),
        move(1, **ended, reverses=UUID(int=7)),
        move(1, **ended, reverses=UUID(int=8)),
    ]
    assert len({digest_of(one) for one in different}) == len(different)
    assert {len(digest_of(one)) for one in different} == {16}
