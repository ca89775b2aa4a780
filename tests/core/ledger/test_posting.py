from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import attrs
import pytest

from citycard.ledger import Kind, Limit, capture, release, reversal
from citycard.store import reading, writing

GROUP = UUID(int=1)
EXPIRES_AT = datetime(2100, 1, 1, tzinfo=UTC)


def test_money_goes_from_one_account_to_the_other(ledger, store, post, move):
    assert post(move(1, "bank", "purse/1", 5000), move(2, "purse/1", "shop", 200)) == ["posted", "posted"]
    with reading(store) as conn:
        assert ledger.balances(conn, 2001) == {"purse/1": 4800, "purse/2": 0}
        assert ledger.balance_fen(conn, "bank") == 5000
        assert ledger.balance_fen(conn, "shop") == 200


def test_an_offline_purse_may_go_below_zero_and_an_online_account_may_not(ledger, store, post, move):
    assert post(move(1, "purse/1", "shop", 7)) == ["posted"]
    assert post(move(2, "online/1", "shop", 7)) == ["debits_exceed_credits"]
    assert post(move(3, "shop", "fund", 7)) == ["credits_exceed_debits"]
    with reading(store) as conn:
        assert ledger.balance_fen(conn, "purse/1") == -7


def test_sent_again_it_gets_the_same_answer(post, move):
    good, bad = move(1, "bank", "online/1", 5), move(2, "online/1", "shop", 50)
    assert post(good, bad) == ["posted", "debits_exceed_credits"]
    post(move(3, "bank", "online/1", 1000))
    assert post(good, bad) == ["exists", "debits_exceed_credits"]
    assert post(move(4, "online/1", "shop", 50)) == ["posted"]


def test_an_account_opened_later_does_not_change_an_answer(ledger, store, post, move):
    from citycard.ledger import AccountSpec
    from citycard.store import writing

    lost = move(1, "bank", "late", 5)
    assert post(lost) == ["credit_account_missing"]
    with writing(store) as conn:
        ledger.open_accounts(conn, [AccountSpec(address="late", code=2001)])
    assert post(lost) == ["credit_account_missing"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("debit_address", "purse/1"),
        ("credit_address", "shop"),
        ("amount_fen", 6),
        ("code", 21),
        ("ref", "x"),
        ("group", GROUP),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_the_same_id_with_another_content_names_the_field(post, move, field, value, together):
    first = move(1, "bank", "purse/2", 5)
    other = attrs.evolve(first, **{field: value})
    results = post(first, other) if together else post(first) + post(other)
    assert results == ["posted", f"exists_with_different_{field}"]


def test_of_a_failure_only_the_digest_is_kept(post, move):
    post(move(1, "nowhere", "shop", 5))
    assert post(move(1, "bank", "shop", 5)) == ["exists_with_different_content"]


def test_a_transfer_twice_in_one_call_is_posted_once(ledger, store, post, move):
    assert post(*[move(1, "bank", "shop", 5)] * 3) == ["posted", "exists", "exists"]
    with reading(store) as conn:
        assert ledger.balance_fen(conn, "shop") == 5


def test_a_group_is_posted_all_or_none(ledger, store, post, move):
    good = move(1, "bank", "purse/1", 5, group=GROUP)
    bad = move(2, "online/1", "shop", 5, group=GROUP)
    alone = move(3, "bank", "shop", 1)
    assert post(good, alone, bad) == ["group_failed", "posted", "debits_exceed_credits"]
    assert post(good, bad) == ["group_failed", "debits_exceed_credits"]
    with reading(store) as conn:
        assert ledger.balance_fen(conn, "bank") == 1


def test_a_group_may_rest_on_its_own_members(post, move):
    fill, spend = move(1, "bank", "online/1", 5, group=GROUP), move(2, "online/1", "shop", 5, group=GROUP)
    assert post(fill, spend) == ["posted", "posted"]
    assert post(fill, spend) == ["exists", "exists"]
    assert post(spend) == ["exists"]


def test_a_group_that_fails_is_undone_from_its_end(ledger, store, post, move):
    held = move(1, "bank", "shop", 5, group=GROUP, kind=Kind.PENDING)
    paid = move(2, "bank", "shop", 5, group=GROUP)
    when = {"event_time": held.event_time, "business_date": held.business_date, "group": GROUP}
    taken = capture(held, id=UUID(int=3), **when)
    back = reversal(paid, id=UUID(int=4), code=90, **when)
    wrong = move(5, "online/1", "shop", 1, group=GROUP)
    assert post(held, paid, taken, back, wrong) == ["group_failed"] * 4 + ["debits_exceed_credits"]
    with reading(store) as conn:
        assert ledger.balance(conn, "bank").transfers == 0
        assert ledger.hold(conn, held.id) is None
        assert ledger.audit(conn) == []


def test_a_single_fen_is_paid_and_taken_back_in_one_call(post, move):
    paid = move(1, "bank", "shop", 1)
    when = {"event_time": paid.event_time, "business_date": paid.business_date}
    back = reversal(paid, id=UUID(int=2), code=90, **when)
    again = reversal(paid, id=UUID(int=3), code=90, **when)
    assert post(paid, back, again) == ["posted", "posted", "amount_exceeds_reversed"]


def test_a_moment_in_another_time_zone_is_the_same_content(post, move):
    held = move(1, "bank", "shop", 5, kind=Kind.PENDING, expires_at=EXPIRES_AT)
    assert post(held) == ["posted"]
    there = EXPIRES_AT.astimezone(timezone(timedelta(hours=8)))
    assert post(attrs.evolve(held, expires_at=there)) == ["exists"]
    later = attrs.evolve(held, expires_at=there + timedelta(seconds=1))
    assert post(later) == ["exists_with_different_expires_at"]


def test_nobody_joins_a_group_that_was_posted(post, move):
    first, late = move(1, "bank", "shop", 5, group=GROUP), move(2, "bank", "shop", 5, group=GROUP)
    assert post(first) == ["posted"]
    assert post(first, late) == ["exists", "group_failed"]


def test_nothing_is_posted_by_an_empty_call(post):
    assert post() == []


def test_a_number_of_posting_is_given_once_and_without_a_gap(ledger, store, post, move):
    post(move(1, "bank", "shop", 1), move(2, "nowhere", "shop", 1), move(3, "bank", "shop", 1))
    post(move(4, "bank", "shop", 1))
    with reading(store) as conn:
        numbers = [(one.posted_seq, one.transfer.id.int) for one in ledger.transfers_of(conn, "shop")]
    assert numbers == [(3, 4), (2, 3), (1, 1)]


def test_a_limit_is_used_to_the_last_fen_and_the_last_time(post, move):
    post(move(1, "bank", "online/1", 500))
    by_fen, by_count = Limit(key="fen", max_fen=30), Limit(key="count", max_count=2)
    assert post(
        move(2, "online/1", "shop", 20, limits=(by_fen,)),
        move(3, "online/1", "shop", 11, limits=(by_fen,)),
        move(4, "online/1", "shop", 10, limits=(by_fen,)),
        move(5, "online/1", "shop", 1, limits=(by_count,)),
        move(6, "online/1", "shop", 1, limits=(by_count,)),
        move(7, "online/1", "shop", 1, limits=(by_count,)),
    ) == ["posted", "limit_amount_exceeded", "posted", "posted", "posted", "limit_count_exceeded"]


def test_what_one_call_takes_back_twice_is_not_more_than_there_was(post, move):
    post(move(1, "bank", "online/1", 500), move(2, "online/1", "shop", 100))
    back = {"code": 30, "reverses": UUID(int=2)}
    assert post(
        move(3, "shop", "online/1", 60, **back),
        move(4, "shop", "online/1", 41, **back),
        move(5, "shop", "online/1", 40, **back),
        move(6, "shop", "online/1", 1, **back),
    ) == ["posted", "amount_exceeds_reversed", "posted", "amount_exceeds_reversed"]


def test_a_hold_whose_end_was_undone_with_its_group_is_open_in_the_same_call(post, move):
    held = move(2, "online/1", "shop", 100, kind=Kind.PENDING)
    post(move(1, "bank", "online/1", 500), held)
    when = {"event_time": held.event_time, "business_date": held.business_date}
    broken = UUID(int=9)
    taken = attrs.evolve(capture(held, id=UUID(int=3), **when), group=broken)
    assert post(
        taken,
        move(4, "online/1", "nowhere", 1, group=broken),
        capture(held, id=UUID(int=5), **when),
        capture(held, id=UUID(int=6), **when),
    ) == ["group_failed", "credit_account_missing", "posted", "hold_posted"]


def test_what_an_earlier_call_took_back_is_counted(post, move):
    post(move(1, "bank", "online/1", 500), move(2, "online/1", "shop", 100))
    back = {"code": 30, "reverses": UUID(int=2)}
    assert post(move(3, "shop", "online/1", 60, **back)) == ["posted"]
    assert post(move(4, "shop", "online/1", 41, **back)) == ["amount_exceeds_reversed"]
    assert post(move(5, "shop", "online/1", 40, **back)) == ["posted"]
    assert post(move(6, "shop", "online/1", 1, **back)) == ["amount_exceeds_reversed"]


def test_what_a_hold_took_can_be_taken_back_and_the_hold_itself_cannot(post, move):
    held = move(2, "online/1", "shop", 100, kind=Kind.PENDING)
    when = {"event_time": held.event_time, "business_date": held.business_date}
    post(move(1, "bank", "online/1", 500), held)
    post(capture(held, id=UUID(int=3), **when))
    assert post(move(4, "shop", "online/1", 100, code=30, reverses=UUID(int=3))) == ["posted"]
    assert post(move(5, "shop", "online/1", 100, code=30, reverses=UUID(int=2))) == ["reversed_missing"]


def test_a_limit_counts_what_earlier_calls_used(post, move):
    post(move(1, "bank", "online/1", 500))
    twice, some = Limit(key="count", max_count=2), Limit(key="fen", max_fen=30)
    for number in (2, 3):
        assert post(move(number, "online/1", "shop", 10, limits=(twice, some))) == ["posted"]
    assert post(move(4, "online/1", "shop", 1, limits=(twice,))) == ["limit_count_exceeded"]
    assert post(move(5, "online/1", "shop", 11, limits=(some,))) == ["limit_amount_exceeded"]
    assert post(move(6, "online/1", "shop", 10, limits=(some,))) == ["posted"]


def test_an_answer_says_whether_it_was_given_before(ledger, move):
    good, bad = move(1, "bank", "online/1", 5), move(2, "online/1", "shop", 50)
    for repeated in (False, True):
        with writing(ledger.engine) as conn:
            outcomes = ledger.post(conn, [good, bad])
        assert [(outcome.id, outcome.repeated) for outcome in outcomes] == [
            (good.id, repeated),
            (bad.id, repeated),
        ]


def test_of_a_group_that_failed_each_has_its_own_answer(ledger, move):
    group = {"group": GROUP}
    members = [
        move(1, "bank", "shop", 5, **group),
        move(2, "nowhere", "shop", 5, **group),
        move(3, "bank", "shop", 5, **group),
    ]
    with writing(ledger.engine) as conn:
        outcomes = ledger.post(conn, members)
    assert [(outcome.id.int, str(outcome.result)) for outcome in outcomes] == [
        (1, "group_failed"),
        (2, "debit_account_missing"),
        (3, "group_failed"),
    ]


@pytest.mark.parametrize("together", [True, False])
def test_a_hold_gives_back_to_its_limits_what_it_did_not_take(post, move, together):
    twice, some = Limit(key="count", max_count=2), Limit(key="fen", max_fen=100)
    held = move(2, "online/1", "shop", 90, kind=Kind.PENDING, limits=(twice, some))
    again = move(4, "online/1", "shop", 80, kind=Kind.PENDING, limits=(twice, some))
    when = {"event_time": held.event_time, "business_date": held.business_date}
    asked = [
        move(1, "bank", "online/1", 500),
        held,
        move(3, "online/1", "shop", 11, limits=(some,)),
        release(held, id=UUID(int=20), **when),
        again,
        capture(again, id=UUID(int=21), amount_fen=30, **when),
        move(5, "online/1", "shop", 71, limits=(some,)),
        move(6, "online/1", "shop", 40, limits=(some,)),
        move(7, "online/1", "shop", 31, limits=(some,)),
        move(8, "online/1", "shop", 1, limits=(twice,)),
        move(9, "online/1", "shop", 1, limits=(twice,)),
        move(10, "online/1", "shop", 30, limits=(some,)),
        move(11, "online/1", "shop", 1, limits=(some,)),
    ]
    assert (post(*asked) if together else [result for one in asked for result in post(one)]) == [
        "posted",
        "posted",
        "limit_amount_exceeded",
        "posted",
        "posted",
        "posted",
        "limit_amount_exceeded",
        "posted",
        "limit_amount_exceeded",
        "posted",
        "limit_count_exceeded",
        "posted",
        "limit_amount_exceeded",
    ]
