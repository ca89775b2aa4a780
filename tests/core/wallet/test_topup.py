"""Loads against a real vault and a card that makes its MACs with the keys the vault gave it."""

import contextlib
from datetime import datetime, timedelta

import pytest

from citycard.errors import LoadProofWrong, LoadRefused
from citycard.ledger import Ledger
from citycard.store import reading
from citycard.wallet import LoadState, Proof, TopUpDesk, loads_of, open_loads
from citycard.wallet.load import load_id

ASN = "01042910000000000017"
TERMINAL = "001122334455"
AT = datetime(2018, 9, 1, 8, 30, 15)


@pytest.fixture
def desk(vault, store):
    return TopUpDesk(vault, Ledger(store))


@pytest.fixture
def look(store):
    """Return what is written: loads as (counter, fen, state, proof), and the purse's and bank's balances."""

    def look():
        ledger = Ledger(store)
        with reading(store) as conn:
            loads = [(one.online_atc, one.amount_fen, one.state, one.proof) for one in loads_of(conn, ASN)]
            assert ledger.audit(conn) == []
            purses = ledger.balances(conn, 2001)
            banks = ledger.balances(conn, 1001)
            return loads, purses.get(f"card/{ASN}/purse", 0), banks.get("trust/bank", 0)

    return look


def test_a_load_is_pending_until_the_card_proves_it_and_is_posted_once(desk, card, look):
    asked = card.init(5000)
    mac2 = desk.begin(**asked)
    assert look() == ([(0, 5000, LoadState.PENDING, Proof.NONE)], 0, 0)
    tac = card.credit(asked, mac2)
    desk.confirm(ASN, 0, tac)
    desk.confirm(ASN, 0, tac)
    assert look() == ([(0, 5000, LoadState.PROVEN, Proof.TAC)], 5000, 5000)


def test_asked_again_in_the_same_words_it_answers_the_same(desk, card, look):
    asked = card.init(5000)
    assert desk.begin(**asked) == desk.begin(**asked)
    assert look()[0] == [(0, 5000, LoadState.PENDING, Proof.NONE)]


def test_a_lost_confirmation_is_made_up_for_by_the_counter(desk, card, look):
    asked = card.init(5000)
    card.credit(asked, desk.begin(**asked))
    again = card.init(2000)
    mac2 = desk.begin(**again)
    assert look() == (
        [(0, 5000, LoadState.PROVEN, Proof.COUNTER), (1, 2000, LoadState.PENDING, Proof.NONE)],
        5000,
        5000,
    )
    desk.confirm(ASN, 1, card.credit(again, mac2))
    assert look()[1] == 7000 == card.balance_fen


def test_a_lost_confirmation_is_made_up_for_by_the_proof_of_the_card(desk, card, look):
    asked = card.init(5000)
    card.credit(asked, desk.begin(**asked))
    desk.confirm(ASN, 0, card.tac)
    assert look()[1] == 5000


def test_a_load_that_was_not_done_makes_room_for_the_next(desk, card, look):
    desk.begin(**card.init(5000))
    asked = card.init(3000)
    mac2 = desk.begin(**asked)
    desk.confirm(ASN, 0, card.credit(asked, mac2))
    assert sorted(look()[0]) == [
        (0, 3000, LoadState.PROVEN, Proof.TAC),
        (0, 5000, LoadState.REVERSED, Proof.COUNTER),
    ]
    assert look()[1:] == (3000, 3000)


def test_a_terminal_that_says_it_was_not_done_is_believed_until_the_card_shows_otherwise(desk, card, look):
    asked = card.init(5000)
    mac2 = desk.begin(**asked)
    desk.reverse(ASN, 0)
    desk.reverse(ASN, 0)
    assert look() == ([(0, 5000, LoadState.REVERSED, Proof.NONE)], 0, 0)
    desk.confirm(ASN, 0, card.credit(asked, mac2))
    assert look() == ([(0, 5000, LoadState.PROVEN, Proof.TAC)], 5000, 5000)
    desk.reverse(ASN, 0)
    assert look()[1] == 5000


def test_a_terminal_that_hides_a_load_is_found_out_by_the_counter(desk, card, look):
    asked = card.init(5000)
    card.credit(asked, desk.begin(**asked))
    desk.reverse(ASN, 0)
    desk.begin(**card.init(100))
    assert look()[1] == 5000


def test_an_old_mac1_does_not_make_a_large_load_small(desk, card, look):
    small, large = card.init(1), card.init(9000)
    card.credit(large, desk.begin(**large))
    desk.begin(**small | {"at": AT + timedelta(hours=1)})
    desk.begin(**card.init(100))
    assert look()[1] == 9000


def test_without_a_tac_the_terminals_word_counts_because_the_agent_pays(desk, card, look):
    asked = card.init(5000)
    card.credit(asked, desk.begin(**asked))
    desk.confirm(ASN, 0, b"")
    assert look() == ([(0, 5000, LoadState.PROVEN, Proof.TERMINAL)], 5000, 5000)
    desk.confirm(ASN, 0, card.tac)
    assert look() == ([(0, 5000, LoadState.PROVEN, Proof.TAC)], 5000, 5000)


def test_a_wrong_tac_proves_nothing(desk, card, look):
    asked = card.init(5000)
    tac = card.credit(asked, desk.begin(**asked))
    with pytest.raises(LoadProofWrong, match=f"card {ASN}.*online counter 0.*stays pending"):
        desk.confirm(ASN, 0, bytes([tac[0] ^ 1]) + tac[1:])
    assert look() == ([(0, 5000, LoadState.PENDING, Proof.NONE)], 0, 0)


def test_a_proof_of_nothing_is_refused(desk):
    with pytest.raises(LoadRefused, match=rf"^load refused \(unknown\): card {ASN} began no load under 3$"):
        desk.confirm(ASN, 3, b"\0\0\0\0")


def test_a_counter_that_goes_back_is_refused(desk, card):
    old = card.init(100)
    asked = card.init(5000)
    desk.confirm(ASN, 0, card.credit(asked, desk.begin(**asked)))
    said = (
        rf"^load refused \(counter-went-back\): card {ASN} shows counter 0 again, under which it was loaded$"
    )
    with pytest.raises(LoadRefused, match=said):
        desk.begin(**old)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mac1", b"\0\0\0\0"),
        ("amount_fen", 9999),
        ("balance_fen", 1),
        ("online_atc", 1),
        ("terminal", "0" * 12),
    ],
)
def test_a_mac1_that_does_not_fit_is_refused_and_leaves_nothing(desk, card, look, field, value):
    with pytest.raises(LoadRefused, match=rf"^load refused \(mac1\): MAC1 of card {ASN} is wrong$"):
        desk.begin(**card.init(5000) | {field: value})
    assert look()[0] == []


def test_limits_and_vetoes_are_said(vault, store, card):
    careful = TopUpDesk(
        vault,
        Ledger(store),
        purse_limit_fen=10_000,
        veto=lambda asn, fen: f"{asn} is blocked" if fen == 7 else None,
    )
    asked = card.init(9000)
    card.credit(asked, careful.begin(**asked))
    with pytest.raises(
        LoadRefused, match=r"^load refused \(purse-limit\): the purse would hold 10001 fen, more than 10000$"
    ):
        careful.begin(**card.init(1001))
    with pytest.raises(LoadRefused, match=rf"^load refused \(veto\): {ASN} is blocked$"):
        careful.begin(**card.init(7))
    for fen in (0, -1):
        with pytest.raises(
            LoadRefused, match=rf"^load refused \(amount\): {fen} fen is not an amount to load$"
        ):
            careful.begin(**card.init(1) | {"amount_fen": fen})
    assert len(careful.begin(**card.init(1000))) == 4


def test_a_purse_limit_may_depend_on_the_card(vault, store, card):
    limits = {ASN: 300, "1" * 20: None}
    careful = TopUpDesk(vault, Ledger(store), purse_limit_fen=limits.__getitem__)
    with pytest.raises(LoadRefused, match="301 fen, more than 300"):
        careful.begin(**card.init(301))
    assert len(careful.begin(**card.init(300))) == 4
    other = type(card)(vault.card_keys(bytes.fromhex("1" * 16)), asn="1" * 20)
    assert len(careful.begin(**other.init(100_000))) == 4


def test_an_attempt_is_known_by_its_own_words(desk, card, store):
    asked = card.init(5000)
    desk.begin(**asked)
    with reading(store) as conn:
        (one,) = loads_of(conn, ASN)
    assert one.id == load_id(ASN, 0, asked["mac1"], TERMINAL, asked["at"])


def test_the_desk_of_an_agent_is_as_careful(vault, store, card):
    def veto(asn, fen):
        return "blocked" if fen == 7 else None

    kiosk = TopUpDesk(vault, Ledger(store), purse_limit_fen=10_000, veto=veto).for_agent("kiosk-7")
    with pytest.raises(LoadRefused, match="purse-limit"):
        kiosk.begin(**card.init(10_001))
    with pytest.raises(LoadRefused, match="veto"):
        kiosk.begin(**card.init(7))
    assert len(kiosk.begin(**card.init(10_000))) == 4


def test_what_was_proven_by_a_tac_stays_so_when_only_the_terminal_speaks_again(desk, card, look):
    asked = card.init(5000)
    desk.confirm(ASN, 0, card.credit(asked, desk.begin(**asked)))
    desk.confirm(ASN, 0, b"")
    assert look()[0] == [(0, 5000, LoadState.PROVEN, Proof.TAC)]
    with pytest.raises(LoadProofWrong):
        desk.confirm(ASN, 0, b"\0\0\0\0")


def test_a_reversal_is_of_one_counter_and_of_what_is_pending(desk, card, look):
    for fen in (5000, 3000):
        asked = card.init(fen)
        desk.confirm(ASN, asked["online_atc"], card.credit(asked, desk.begin(**asked)))
    desk.begin(**card.init(2000))
    desk.reverse(ASN, 1)
    desk.reverse(ASN, 7)
    states = [LoadState.PROVEN, LoadState.PROVEN, LoadState.PENDING]
    assert [state for _, _, state, _ in look()[0]] == states
    desk.reverse(ASN, 2)
    assert [state for _, _, state, _ in look()[0]] == [*states[:2], LoadState.REVERSED]


def test_a_witness_settles_what_the_counter_tells_and_begins_nothing(desk, card, look):
    asked = card.init(5000)
    card.credit(asked, desk.begin(**asked))
    seen = {name: value for name, value in card.init(700).items() if name != "at"}
    desk.witness(**seen)
    assert look() == ([(0, 5000, LoadState.PROVEN, Proof.COUNTER)], 5000, 5000)
    with pytest.raises(LoadRefused, match="mac1"):
        desk.witness(**seen | {"mac1": b"\0\0\0\0"})


def test_what_an_agent_takes_the_agent_owes(desk, card, store):
    asked = card.init(5000)
    kiosk = desk.for_agent("kiosk-7")
    kiosk.confirm(ASN, 0, card.credit(asked, kiosk.begin(**asked)))
    with reading(store) as conn:
        assert Ledger(store).balances(conn, 1101) == {"agent/kiosk-7/receivable": 5000}
        assert Ledger(store).balances(conn, 1001) == {}


def test_loads_that_nobody_knows_the_end_of_are_listed(desk, card, store):
    desk.begin(**card.init(5000))
    with reading(store) as conn:
        assert [(one.asn, one.amount_fen, one.terminal) for one in open_loads(conn)] == [
            (ASN, 5000, TERMINAL)
        ]


def test_a_buffered_desk_writes_the_same_at_the_end(desk, card, look):
    first = card.init(1000)
    desk.begin(**first)
    with desk.buffered() as fast:
        for fen in (5000, 3000, 2000):
            asked = card.init(fen)
            fast.confirm(ASN, asked["online_atc"], card.credit(asked, fast.begin(**asked)))
        assert look()[1] == 0
        assert fast.flush() == 4
        assert look()[1] == 10_000
        fast.begin(**card.init(400))
    loads, purse, bank = look()
    assert sorted(loads) == [
        (0, 1000, LoadState.REVERSED, Proof.COUNTER),
        (0, 5000, LoadState.PROVEN, Proof.TAC),
        (1, 3000, LoadState.PROVEN, Proof.TAC),
        (2, 2000, LoadState.PROVEN, Proof.TAC),
        (3, 400, LoadState.PENDING, Proof.NONE),
    ]
    assert (purse, bank) == (10_000, 10_000)
    assert desk.flush() == 0


def test_a_buffered_desk_that_fails_writes_nothing(desk, card, look):
    with contextlib.suppress(LoadProofWrong), desk.buffered() as fast:
        fast.begin(**card.init(1000))
        fast.confirm(ASN, 0, b"\0\0\0\0")
    assert look() == ([], 0, 0)


def test_what_proved_a_load_is_kept_with_it(desk, card, store):
    asked = card.init(5000)
    tac = card.credit(asked, desk.begin(**asked))
    desk.confirm(ASN, 0, tac)
    card.credit(again := card.init(3000), desk.begin(**again))
    desk.begin(**card.init(1))
    with reading(store) as conn:
        assert [(one.proof, one.tac) for one in loads_of(conn, ASN)] == [
            (Proof.TAC, tac.hex()),
            (Proof.COUNTER, ""),
            (Proof.NONE, ""),
        ]


def test_without_a_tac_the_attempt_that_is_still_pending_is_meant(desk, card, look):
    desk.begin(**card.init(9000))
    desk.begin(**card.init(4000))
    desk.confirm(ASN, 0, b"")
    assert sorted(look()[0]) == [
        (0, 4000, LoadState.PROVEN, Proof.TERMINAL),
        (0, 9000, LoadState.REVERSED, Proof.COUNTER),
    ]


def test_a_new_attempt_leaves_alone_what_is_settled_under_other_counters(desk, card, look):
    for fen in (5000, 3000):
        asked = card.init(fen)
        desk.confirm(ASN, asked["online_atc"], card.credit(asked, desk.begin(**asked)))
    desk.begin(**card.init(700))
    desk.begin(**card.init(900))
    assert look()[0] == [
        (0, 5000, LoadState.PROVEN, Proof.TAC),
        (1, 3000, LoadState.PROVEN, Proof.TAC),
        (2, 700, LoadState.REVERSED, Proof.NONE),
        (2, 900, LoadState.PENDING, Proof.NONE),
    ]


def test_of_attempts_of_one_amount_always_the_same_one_stands(desk, card, store):
    tried = [card.init(5000), card.init(5000)]
    for asked in tried:
        mac2 = desk.begin(**asked)
    card.credit(tried[-1], mac2)
    desk.begin(**card.init(1))
    with reading(store) as conn:
        first, second = [one for one in loads_of(conn, ASN) if one.online_atc == 0]
    stands = max(first, second, key=lambda one: str(one.id))
    assert [one.state for one in (first, second)] == [
        LoadState.PROVEN if one is stands else LoadState.REVERSED for one in (first, second)
    ]
