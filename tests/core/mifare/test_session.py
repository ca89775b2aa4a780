"""A sector card at a reader: the eight steps, the three outcomes, and every word of refusal."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citycard.errors import SectorCardInvalid, SectorCardRefused
from citycard.mifare.crc import seal_x25
from citycard.mifare.driver import SectorReader
from citycard.mifare.layouts import LOCKED, SectorEnable
from citycard.mifare.plan import CHANGSHA, CONSTRUCTION, PLANS, XIAMEN
from citycard.mifare.pseudo import PseudoReader
from citycard.mifare.session import SectorSession
from citycard.mifare.trades import OpenTrades, TradeOutcome
from citycard.mifare.value import read_value
from citycard.pcsc import PcscReader, VpcdSlot

METRO = b"M" * 14


def test_a_purchase_writes_in_the_eight_steps_and_no_other_order(bench, monkeypatch):
    card = bench.card()
    session = bench.session(card)
    session.open()
    written = []
    write = type(card.memory).write_block

    def noting(memory, block, data):
        written.append((block, data.hex().upper()))
        write(memory, block, data)

    monkeypatch.setattr(type(card.memory), "write_block", noting)
    trade = session.purchase(380, bench.day, metro=METRO)
    assert (trade.outcome, trade.complete) == (TradeOutcome.DONE, True)
    journey = seal_x25(METRO).hex().upper()
    assert [(block, data[:30]) for block, data in written] == [
        (38, "03300089000340180901001388017C"),
        (36, "110300000100002018090100000000"),
        (44, journey[:30]),
        (8, "0C120000F3EDFFFF0C12000009F609"),
        (36, "130300000100002018090100000000"),
        (9, "0C120000F3EDFFFF0C12000009F609"),
        (37, "130300000100002018090100000000"),
        (45, journey[:30]),
    ]


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("value_commands", [True, False])
def test_purchases_and_loads_agree_with_balance_and_count(bench, plan, value_commands):
    session = bench.session(card := bench.card(plan), plan, value_commands=value_commands)
    session.open()
    for amount in (100, 200, 300):
        assert session.purchase(amount, bench.day).outcome is TradeOutcome.DONE
    trade = session.load(10_000, bench.day)
    assert (trade.balance_before_fen, trade.balance_after_fen, trade.count) == (4400, 14_400, 4)
    view = bench.session(card, plan).open()
    assert (view.balance_fen, view.info.public_count, view.info.other_count, view.rules) == (14_400, 4, 0, ())


def test_a_dedicated_purse_has_a_counter_of_its_own(bench):
    session = bench.session(bench.card(dedicated=30))
    session.open()
    trade = session.purchase(1, bench.day, dedicated=True)
    assert (trade.kind, trade.count, trade.balance_after_fen) == (4, 1, 29)
    view = session.open()
    assert (view.info.flag, view.info.public_count, view.info.other_count) == (0x14, 0, 1)
    assert (view.balance_fen, view.dedicated) == (5000, 29)
    assert session.load(5, bench.day, dedicated=True).balance_after_fen == 34


def test_history_goes_round_through_its_blocks(bench):
    session = bench.session(card := bench.card(XIAMEN), XIAMEN)
    session.open()
    for amount in (1, 2, 3, 4):
        session.purchase(amount, bench.day)
    assert [card.memory.block(block)[13:15].hex() for block in (24, 25, 26)] == ["0004", "0002", "0003"]


def test_a_trade_has_a_tac_that_depends_on_all_of_it(bench, keys):
    session = bench.session(bench.card())
    session.open()
    trade = session.purchase(380, bench.day)
    terminal = bytes.fromhex(bench.terminal)
    assert trade.tac == keys.tac(bytes.fromhex(trade.card), 380, 3, terminal, 1, bench.day)
    assert len({trade.tac, keys.tac(bytes.fromhex(trade.card), 381, 3, terminal, 1, bench.day)}) == 2


def cut(card, writes, *, torn=False):
    card.memory.cut_after(writes, torn)


def test_a_card_that_goes_before_the_debit_was_not_charged(bench):
    session = bench.session(card := bench.card())
    session.open()
    cut(card, 1)
    assert session.purchase(380, bench.day).outcome is TradeOutcome.NOT_DONE
    with pytest.raises(SectorCardRefused, match="not-open"):
        session.purchase(380, bench.day)
    view = session.open()
    assert (view.balance_fen, view.info.public_count, view.recovered) == (5000, 0, None)


def test_a_card_that_goes_after_the_debit_was_charged(bench):
    session = bench.session(card := bench.card())
    session.open()
    cut(card, 4)
    trade = session.purchase(380, bench.day)
    assert (trade.outcome, trade.complete) == (TradeOutcome.DONE, False)
    view = session.open()
    assert (view.balance_fen, view.info.public_count) == (4620, 1)
    assert view.recovered == attrs.evolve(trade, complete=True, recovered=True)


class DeafAfter:
    """A reader whose card leaves after the command that writes for the n-th time was done, unanswered."""

    def __init__(self, reader, card, writes):
        self.reader, self.card, self.wanted = reader, card, card.memory.writes + writes

    def connect(self):
        return self.reader.connect()

    def transmit(self, apdu):
        answer = self.reader.transmit(apdu)
        if self.card.memory.writes >= self.wanted:
            self.wanted = 1 << 30
            self.card.power_off()
            return b"\x63\x00"
        return answer


def test_a_debit_without_an_answer_is_unknown_and_undone_at_the_same_reader(bench):
    known = OpenTrades()
    session = bench.session(card := bench.card(), open_trades=known)
    session.open()
    session._reader._reader = DeafAfter(session._reader._reader, card, 3)
    assert session.purchase(380, bench.day).outcome is TradeOutcome.UNKNOWN
    assert known.find("5001000000012345") == 4620
    assert (read_value(card.memory.block(8)), read_value(card.memory.block(9))) == (4620, 5000)
    view = bench.session(card, open_trades=known).open()
    assert (view.rules, view.balance_fen, view.info.public_count) == (("R2", "R6'"), 5000, 0)
    assert len(known) == 0


def test_a_debit_without_an_answer_is_finished_at_another_reader(bench):
    session = bench.session(card := bench.card())
    session.open()
    session._reader._reader = DeafAfter(session._reader._reader, card, 3)
    assert session.purchase(380, bench.day).outcome is TradeOutcome.UNKNOWN
    view = bench.session(card, terminal="300089000999").open()
    assert (view.rules, view.balance_fen, view.info.public_count) == (("R6",), 4620, 1)
    assert (view.recovered.amount_fen, view.recovered.terminal) == (380, bench.terminal)


def test_a_reader_undoes_only_its_own_trade(bench):
    known = OpenTrades()
    session = bench.session(card := bench.card(), open_trades=known)
    known.remember(session.open().card, 4620)
    other = bench.session(card, terminal="300089000999")
    other.open()
    cut(card, 4)
    assert other.purchase(380, bench.day).outcome is TradeOutcome.DONE
    known.remember("5001000000012345", 4620)
    assert session.open().balance_fen == 4620


def test_a_locked_card_is_not_charged_but_can_be_emptied(bench):
    session = bench.session(card := bench.card(dedicated=12))
    session.open()
    with pytest.raises(SectorCardRefused, match="not-locked"):
        session.empty(bench.day)
    assert session.lock().info.lock == LOCKED
    assert session.lock() == session.view
    for action in (session.purchase, session.load):
        with pytest.raises(SectorCardRefused, match="locked"):
            action(1, bench.day)
    session.empty(bench.day)
    session.empty(bench.day, dedicated=True)
    view = bench.session(card).open()
    assert (view.balance_fen, view.dedicated, view.info.locked) == (0, 0, True)


@pytest.mark.parametrize(
    ("enable", "reason"), [(SectorEnable.CPU_CARD, "cpu-card"), (SectorEnable.NOT_ENABLED, "not-enabled")]
)
def test_cards_that_are_none_of_ours_are_refused_with_the_reason(bench, enable, reason):
    card = bench.card(CONSTRUCTION, enable=enable)
    with pytest.raises(SectorCardRefused, match=reason):
        bench.session(card, CONSTRUCTION).open()


def test_a_damaged_issue_block_is_refused(bench):
    card = bench.card()
    card.memory.write_block(CHANGSHA.issue_block, bytes(16))
    with pytest.raises(SectorCardRefused, match="unreadable"):
        bench.session(card).open()


def test_amounts_that_cannot_be_are_refused(bench):
    session = bench.session(bench.card())
    session.open()
    for action, amount, reason in (
        (session.purchase, 5001, "funds"),
        (session.purchase, 0, "amount"),
        (session.load, 0, "amount"),
        (session.load, 1 << 31, "amount"),
    ):
        with pytest.raises(SectorCardRefused, match=reason):
            action(amount, bench.day)
    xiamen = bench.session(bench.card(XIAMEN), XIAMEN)
    xiamen.open()
    with pytest.raises(SectorCardRefused, match="no-purse"):
        xiamen.purchase(1, bench.day, dedicated=True)


def test_a_terminal_has_twelve_digits(bench):
    with pytest.raises(SectorCardInvalid):
        bench.session(bench.card(), terminal="3000")


def test_a_card_in_a_real_pcsc_reader_is_charged_and_mended(pcscd, bench, keys):
    card = bench.card()
    place = pcscd.slots[0]
    with VpcdSlot(PseudoReader(card), port=place.port) as slot, PcscReader(place.reader) as reader:
        assert reader.wait_for_card(10).hex().upper() == "3B8F8001804F0CA000000306030001000000006A"
        session = SectorSession(SectorReader(reader, keys), CHANGSHA, terminal=bench.terminal, tac=keys.tac)
        session.open()
        assert session.purchase(380, bench.day, metro=METRO).outcome is TradeOutcome.DONE
        session.open()
        slot.tear(4, torn=True)
        trade = session.purchase(120, bench.day, metro=METRO)
        assert (trade.outcome, trade.complete) == (TradeOutcome.DONE, False)
    with VpcdSlot(PseudoReader(card), port=place.port), PcscReader(place.reader) as reader:
        reader.wait_for_card(10)
        session = SectorSession(SectorReader(reader, keys), CHANGSHA, terminal=bench.terminal, tac=keys.tac)
        view = session.open()
        assert (view.rules, view.balance_fen, view.info.public_count) == (("R4",), 4500, 2)
        assert view.recovered.tac == trade.tac


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["purchase", "load", "dedicated"]),
        st.integers(1, 900),
        st.one_of(st.none(), st.tuples(st.integers(0, 8), st.booleans(), st.integers(0, 15))),
        st.integers(0, 1),
    ),
    max_size=8,
)


@settings(max_examples=60)
@given(OPERATIONS)
def test_whatever_happens_at_two_readers_every_trade_is_done_or_not_and_counted_so(bench, operations):
    card = bench.card(dedicated=30)
    readers = [
        bench.session(card, terminal=terminal, open_trades=OpenTrades())
        for terminal in ("300089000001", "300089000002")
    ]
    held, counts = [5000, 30], [0, 0]
    for name, amount, cut_at, reader in operations:
        session, purse = readers[reader], int(name == "dedicated")
        session.open()
        if cut_at:
            card.memory.cut_after(*cut_at)
        try:
            if name == "load":
                trade = session.load(amount, bench.day)
            else:
                trade = session.purchase(1 if purse else amount, bench.day, dedicated=bool(purse))
        except SectorCardRefused:
            card.memory.cut_after(None)
            continue
        card.memory.cut_after(None)
        view = session.open()
        after = (view.balance_fen, view.dedicated)[purse]
        assert after in {trade.balance_before_fen, trade.balance_after_fen}
        done = after == trade.balance_after_fen
        assert trade.outcome is TradeOutcome.UNKNOWN or done is (trade.outcome is TradeOutcome.DONE)
        held[purse], counts[purse] = after, counts[purse] + done
        assert [view.balance_fen, view.dedicated] == held
        assert [view.info.public_count, view.info.other_count] == counts
