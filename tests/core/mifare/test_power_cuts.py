"""The power goes at every write of a purchase, a load, a lock, and of the recovery after it, and again.

However often it goes, after the next whole tap the balance is the old or the new one, the copies agree, the
count says whether the trade was done, and a trade that was reported as done is done.
"""

from __future__ import annotations

from contextlib import suppress

from citycard.errors import CardRemoved
from citycard.mifare.crc import is_sealed, is_sealed_x25, seal_x25
from citycard.mifare.layouts import read_info
from citycard.mifare.plan import CHANGSHA, XIAMEN
from citycard.mifare.trades import OpenTrades, TradeOutcome
from citycard.mifare.value import read_value

OLD_FEN = 5000
JOURNEY = b"M" * 14


def purchase(session, day):
    return session.purchase(380, day, metro=JOURNEY if session._plan.metro else None)


def load(session, day):
    return session.load(380, day)


def bare(session, day):
    """Purchase at a reader without value commands, which writes the purse whole."""
    return purchase(session, day)


def dedicated(session, day):
    return session.purchase(1, day, dedicated=True)


TRADES = [
    (CHANGSHA, purchase, OLD_FEN - 380),
    (XIAMEN, purchase, OLD_FEN - 380),
    (XIAMEN, bare, OLD_FEN - 380),
    (CHANGSHA, load, OLD_FEN + 380),
    (CHANGSHA, dedicated, 29),
]


def cuts():
    """Yield where the power goes: never, or before a write, or with some bytes of it written."""
    yield None
    for write in range(9):
        yield write, False, None
        for prefix in (0, 1, 4, 8, 12, 15):
            yield write, True, prefix


def tapped(bench, card, plan, trade, known, cut):
    """Tap with the power going where ``cut`` says, and tell what the reader was told and whether it went."""
    session = bench.session(card, plan, open_trades=known, value_commands=trade is not bare)
    outcome = None
    if cut:
        card.memory.cut_after(*cut)
    with suppress(CardRemoved):
        session.open()
        if trade:
            outcome = trade(session, bench.day).outcome
    went = cut is not None and card.memory._cut is None
    card.memory.cut_after(None)
    return outcome, went


def check_whole(card, plan):
    for pair in plan.purses:
        assert card.memory.block(pair.main) == card.memory.block(pair.backup)
        assert read_value(card.memory.block(pair.main)) is not None
    main, backup = (card.memory.block(block) for block in (plan.info.main, plan.info.backup))
    assert main == backup
    assert is_sealed(main)
    if plan.metro:
        journeys = {card.memory.block(plan.metro.main), card.memory.block(plan.metro.backup)}
        assert len(journeys) == 1
        assert is_sealed_x25(journeys.pop())


def check_end(card, plan, trade, new_fen, outcome):
    """Check balance, count, flag and journey against one another and against what the reader was told."""
    check_whole(card, plan)
    purse = plan.purses[1 if trade is dedicated else 0]
    old_fen = 30 if trade is dedicated else OLD_FEN
    held = read_value(card.memory.block(purse.main))
    info = read_info(card.memory.block(plan.info.main))
    count = info.other_count if trade is dedicated else info.public_count
    assert (held, count) in {(old_fen, 0), (new_fen, 1)}
    assert info.flag not in plan.started
    done = held == new_fen
    if plan.metro and trade is purchase:
        journey = JOURNEY if done else bytes(14)
        assert card.memory.block(plan.metro.main) == seal_x25(journey)
    if outcome in {TradeOutcome.DONE, TradeOutcome.NOT_DONE}:
        assert done is (outcome is TradeOutcome.DONE)
    return done


def struck_by(card, known, tap):
    """Tap copies of a card with the power going in each place, until it would go after the last write.

    Yield each card that is left, what its reader remembers then and what that was told. Cuts that leave the
    same bytes on the card and in the reader are told once: nothing else outlives the power.
    """
    seen = set()
    for cut in cuts():
        left, memory = card.clone(), OpenTrades()
        memory._balances = dict(known._balances)
        outcome, went = tap(left, memory, cut)
        if cut and not went:
            return
        state = bytes(left.memory.cells), *memory._balances.items(), outcome
        if state not in seen:
            seen.add(state)
            yield left, memory, outcome


def test_every_tear_of_a_trade_and_of_its_recovery_ends_old_or_new(bench, record_property):
    cases, ends = 0, set()
    for plan, trade, new_fen in TRADES:

        def tap(card, known, cut, plan=plan, trade=trade):
            return tapped(bench, card, plan, trade, known, cut)

        def recover(card, known, cut, plan=plan):
            return tapped(bench, card, plan, None, known, cut)

        fresh = bench.card(plan, dedicated=30 if plan.dedicated else 0)
        for card, known, outcome in struck_by(fresh, OpenTrades(), tap):
            # Either the same reader, which remembers, or another one.
            for reader in [known, OpenTrades()] if len(known) else [known]:
                for again, memory, _ in struck_by(card, reader, recover):
                    recover(again, memory, None)
                    ends.add((trade.__name__, check_end(again, plan, trade, new_fen, outcome)))
                    cases += 1
    record_property("cuts", cases)
    assert {(trade.__name__, done) for _, trade, _ in TRADES for done in (True, False)} == ends
    assert cases > 1000


def test_a_recovery_that_is_torn_three_times_ends_as_well(bench, record_property):
    cases = 0
    card = bench.card()
    for first in range(5):
        for second in range(5):
            for third in range(5):
                for broken in (4, 5, 6):
                    torn, memory = card.clone(), OpenTrades()
                    tapped(bench, torn, CHANGSHA, purchase, memory, (broken, True, 8))
                    for write in (first, second, third):
                        tapped(bench, torn, CHANGSHA, None, memory, (write, True, 8))
                    tapped(bench, torn, CHANGSHA, None, memory, None)
                    assert check_end(torn, CHANGSHA, purchase, OLD_FEN - 380, TradeOutcome.DONE)
                    cases += 1
    record_property("cuts", cases)
    assert cases == 375


def test_a_lock_that_is_torn_is_a_lock_or_none_and_takes_nothing(bench):
    states = set()
    for first in cuts():
        card = bench.card()
        session = bench.session(card)
        session.open()
        if first:
            card.memory.cut_after(*first)
        with suppress(CardRemoved):
            session.lock()
        card.memory.cut_after(None)
        view = bench.session(card).open()
        check_whole(card, CHANGSHA)
        assert view.balance_fen == OLD_FEN
        states.add(view.info.locked)
    assert states == {True, False}
