from datetime import datetime
from uuid import UUID

from citycard.wallet.load import Load, LoadState, Proof, load_id, refund_agent, refunded_card

AT = datetime(2018, 9, 1, 8, 30)


def test_an_attempt_has_one_id_and_another_attempt_another():
    base = ("0" * 20, 3, b"\1\2\3\4", "1" * 12, AT)
    others = [
        ("1" * 20, *base[1:]),
        (base[0], 4, *base[2:]),
        (*base[:2], b"\1\2\3\5", *base[3:]),
        (*base[:3], "2" * 12, AT),
        (*base[:4], AT.replace(minute=31)),
    ]
    assert load_id(*base) == load_id(*base)
    assert len({load_id(*one) for one in [base, *others]}) == 6
    # What was begun before a new version came is the same attempt afterwards.
    assert load_id(*base) == UUID("51473b96-3235-5570-8272-e872d33d456b")


def test_a_load_stays_open_until_something_proves_its_end():
    load = Load(
        id=load_id("0" * 20, 0, b"", "1" * 12, AT),
        asn="0" * 20,
        online_atc=0,
        key_version=1,
        amount_fen=100,
        balance_before_fen=0,
        terminal="1" * 12,
        agent="",
        at=AT,
        mac1="01020304",
    )
    assert (load.state, load.open) == (LoadState.PENDING, True)
    assert load.settled(LoadState.REVERSED, Proof.NONE).open
    proven = load.settled(LoadState.PROVEN, Proof.TAC, "0a0b0c0d")
    assert (proven.open, proven.state, proven.proof, proven.tac) == (False, "proven", "tac", "0a0b0c0d")
    assert proven.settled(LoadState.PROVEN, Proof.COUNTER).tac == ""
    ends = [
        (LoadState.PENDING, Proof.NONE),
        (LoadState.REVERSED, Proof.NONE),
        (LoadState.REVERSED, Proof.COUNTER),
        (LoadState.PROVEN, Proof.COUNTER),
    ]
    assert [load.settled(*end).closed_without_doing for end in ends] == [False, False, True, False]


def test_a_card_that_was_given_up_may_pay_for_a_load():
    assert refund_agent("1" * 20) == "refund/" + "1" * 20
    assert refunded_card(refund_agent("1" * 20)) == "1" * 20
    for agent in ("", "kiosk-7", "account/17"):
        assert refunded_card(agent) is None
