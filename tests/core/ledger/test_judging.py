from uuid import UUID

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
