"""One sector card at one reader: open and mend it, charge it, load it, lock it (docs/mifare.md)."""

from __future__ import annotations

import datetime as dt

import attrs

from citycard.card.codec import decode, evolve
from citycard.errors import (
    CardRemoved,
    CodecError,
    SectorAccessFailed,
    SectorCardInvalid,
    SectorCardRefused,
)
from citycard.mifare.access import KeyKind
from citycard.mifare.crc import is_sealed, seal_x25
from citycard.mifare.driver import SectorReader
from citycard.mifare.layouts import (
    LARGEST_AMOUNT_FEN,
    LARGEST_BALANCE_FEN,
    LOCKED,
    BasicIssue,
    History,
    PurseInfo,
    SaleIssue,
    SectorEnable,
    TradeKind,
    line_before,
    read_info,
    read_line,
    sealed,
)
from citycard.mifare.plan import SectorPlan
from citycard.mifare.recovery import CardCopies, CopyPurse, Recovery, Step, counted, recover
from citycard.mifare.trades import OpenTrades, SectorTrade, TacSource, TradeOutcome
from citycard.mifare.value import LARGEST, is_value_block

__all__ = ["SectorSession", "SectorView"]

_GONE = (CardRemoved, SectorAccessFailed)
_TERMINAL_DIGITS = 12


@attrs.frozen(kw_only=True)
class SectorView:
    """A card that was opened and is whole. ``card`` is its number, 16 hexadecimal digits.

    ``balance_fen`` is the public purse, ``dedicated`` what the dedicated one counts (0 without one);
    ``rules`` are those by which it was mended, ``recovered`` a trade that turned out to be done.
    """

    card: str
    uid: bytes
    card_kind: int
    issue: BasicIssue | SaleIssue
    balance_fen: int
    dedicated: int
    info: PurseInfo
    metro: bytes | None
    rules: tuple[str, ...] = ()
    recovered: SectorTrade | None = None


class SectorSession:
    """Serve the sector card in one reader. ``open`` at every tap, before anything else.

    ``terminal`` has 12 hexadecimal digits: operator (4) and POS (8). ``open_trades`` outlives the session:
    it is what this reader remembers of cards that went away at the point of no return. ``tac`` makes TACs.
    """

    def __init__(
        self,
        reader: SectorReader,
        plan: SectorPlan,
        *,
        terminal: str,
        tac: TacSource | None = None,
        open_trades: OpenTrades | None = None,
    ) -> None:
        if len(terminal) != _TERMINAL_DIGITS:
            raise SectorCardInvalid(field="terminal", found=terminal, expected="12 hexadecimal digits")
        self._reader = reader
        self._plan = plan
        self._terminal = terminal.upper()
        self._tac = tac
        self._open_trades = OpenTrades() if open_trades is None else open_trades
        self._view: SectorView | None = None

    @property
    def view(self) -> SectorView:
        """Return the card as it is after everything this session did to it."""
        if self._view is None:
            raise SectorCardRefused(reason="not-open", explanation="no card is open: hold it to the reader")
        return self._view

    # ── opening ──────────────────────────────────────────────────────────────────────────────────

    def open(self) -> SectorView:
        """Connect, read the issue block, mend what an earlier tap tore, and return the card.

        Raises SectorCardRefused with the reason ``unreadable``, ``cpu-card``, ``not-enabled`` or
        ``purse-damaged``; CardRemoved and SectorAccessFailed when the card goes away: tap again.
        """
        self._view = None
        uid = self._reader.connect()
        issue = self._read_issue()
        card = issue.number8.hex().upper()
        copies = self._read_copies(card)
        found = recover(self._plan, copies)
        self._probe(copies)
        self._apply(found.steps)
        self._open_trades.forget(card)
        self._view = SectorView(
            card=card,
            uid=uid,
            card_kind=issue.card_kind,
            issue=issue,
            balance_fen=found.balances[0],
            dedicated=sum(found.balances[1:]),
            info=found.info,
            metro=found.metro,
            rules=found.rules,
        )
        self._view = attrs.evolve(self._view, recovered=self._recovered(self._view, found))
        return self._view

    def _read_issue(self) -> BasicIssue | SaleIssue:
        block = self._reader.read(self._plan.issue_block)
        try:
            issue = decode(self._plan.issue, block[:-1]) if is_sealed(block) else None
        except CodecError:
            issue = None
        if issue is None:
            raise SectorCardRefused(reason="unreadable", explanation="its issue data cannot be read")
        if issue.enable == SectorEnable.CPU_CARD:
            raise SectorCardRefused(reason="cpu-card", explanation="it is a CPU card: serve it as one")
        if issue.enable != SectorEnable.ENABLED:
            raise SectorCardRefused(reason="not-enabled", explanation="it was not enabled yet")
        return issue

    def _read_copies(self, card: str) -> CardCopies:
        plan, read = self._plan, self._reader.read
        purses = tuple((read(pair.main), read(pair.backup)) for pair in plan.purses)
        undo = self._open_trades.find(card)
        info = (read(plan.info.main), read(plan.info.backup))
        lines: tuple[bytes, ...] = ()
        if undo is not None or read_info(info[0]) is None:
            lines = tuple(read(block) for block in plan.history)
        # Another reader may have begun a trade of its own since: what is undone must be this reader's.
        if undo is not None and not any(self._is_own(line) for line in lines):
            undo = None
        metro = None if plan.metro is None else (read(plan.metro.main), read(plan.metro.backup))
        return CardCopies(purses=purses, info=info, metro=metro, history=lines, undo_balance_fen=undo)

    def _is_own(self, block: bytes) -> bool:
        line = read_line(block)
        return line is not None and line.operator + line.terminal == self._terminal

    def _probe(self, copies: CardCopies) -> None:
        """Find out whether the reader has value commands, on a block that is surely a value block."""
        if self._reader.capabilities.value_commands is None:
            pair, blocks = self._plan.purse, copies.purses[0]
            self._reader.probe(pair.main if is_value_block(blocks[0]) else pair.backup)

    def _apply(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if isinstance(step, CopyPurse):
                self._reader.copy(step.source, step.target, self._purse_key)
            else:
                self._write(step.block, step.data)

    @property
    def _purse_key(self) -> KeyKind:
        # Without the chip's own decrement the block is written whole, which only key B may.
        return KeyKind.A if self._reader.capabilities.value_commands else KeyKind.B

    def _write(self, block: int, data: bytes) -> None:
        self._reader.write(block, data, KeyKind.A)

    def _recovered(self, view: SectorView, found: Recovery) -> SectorTrade | None:
        if found.finished is None:
            return None
        kind, after = view.info.kind, found.balances[found.finished]
        loaded = kind in {TradeKind.LOAD_PUBLIC, TradeKind.LOAD_DEDICATED}
        before = after - found.amount_fen if loaded else after + found.amount_fen
        line = line_before((self._reader.read(block) for block in self._plan.history), before)
        trade = SectorTrade(
            outcome=TradeOutcome.DONE,
            card=view.card,
            kind=kind,
            amount_fen=found.amount_fen,
            balance_before_fen=before,
            balance_after_fen=after,
            count=view.info.other_count if found.finished else view.info.public_count,
            terminal=line.operator + line.terminal if line else "0" * _TERMINAL_DIGITS,
            on=view.info.on,
            recovered=True,
        )
        return self._proven(trade)

    # ── trades ───────────────────────────────────────────────────────────────────────────────────

    def purchase(
        self, amount_fen: int, on: dt.date, *, dedicated: bool = False, metro: bytes | None = None
    ) -> SectorTrade:
        """Charge a purse in the eight steps of docs/mifare.md; ``metro`` is the journey's new body, 14 bytes.

        The trade says what came of it; nothing is raised when the card goes away. SectorCardRefused says why
        nothing was tried: ``locked``, ``amount``, ``funds``.
        """
        if self.view.info.locked:
            raise SectorCardRefused(
                reason="locked", explanation="it is locked, or was replaced by a new card"
            )
        return self._charge(amount_fen, on, purse=int(dedicated), metro=metro)

    def empty(self, on: dt.date, *, dedicated: bool = False) -> SectorTrade:
        """Take everything out of a purse of a locked card, by the purchase's own steps."""
        if not self.view.info.locked:
            raise SectorCardRefused(reason="not-locked", explanation="only a locked card is emptied")
        amount = self.view.dedicated if dedicated else self.view.balance_fen
        return self._charge(amount, on, purse=int(dedicated), metro=None)

    def load(self, amount_fen: int, on: dt.date, *, dedicated: bool = False) -> SectorTrade:
        """Load a purse with key B by the purchase's steps. SectorCardRefused: ``locked``, ``amount``."""
        purse = int(dedicated)
        if self.view.info.locked:
            raise SectorCardRefused(
                reason="locked", explanation="it is locked, or was replaced by a new card"
            )
        before = self._balance(purse)
        if amount_fen <= 0 or before + amount_fen > LARGEST:
            raise SectorCardRefused(reason="amount", explanation=f"{amount_fen} fen cannot be loaded")
        kind = TradeKind.LOAD_DEDICATED if purse else TradeKind.LOAD_PUBLIC
        return self._trade(kind, purse, amount_fen, before + amount_fen, on, None)

    def lock(self) -> SectorView:
        """Lock the card, both copies, so that no terminal charges it any more; again without harm."""
        view = self.view
        if not view.info.locked:
            info = evolve(view.info, lock=LOCKED, flag=self._plan.finished[0])
            self._view = None
            self._write(self._plan.info.main, sealed(info))
            self._write(self._plan.info.backup, sealed(info))
            self._view = attrs.evolve(view, info=info)
        return self.view

    def _balance(self, purse: int) -> int:
        if purse >= len(self._plan.purses):
            raise SectorCardRefused(reason="no-purse", explanation="it has no dedicated purse")
        return self.view.dedicated if purse else self.view.balance_fen

    def _charge(self, amount_fen: int, on: dt.date, *, purse: int, metro: bytes | None) -> SectorTrade:
        before = self._balance(purse)
        if amount_fen <= 0:
            raise SectorCardRefused(reason="amount", explanation=f"{amount_fen} fen cannot be charged")
        if amount_fen > before:
            raise SectorCardRefused(
                reason="funds", explanation=f"it holds {before} fen, {amount_fen} are asked: load it"
            )
        kind = TradeKind.PURCHASE_DEDICATED if purse else TradeKind.PURCHASE_PUBLIC
        return self._trade(kind, purse, amount_fen, before - amount_fen, on, metro)

    def _trade(
        self, kind: int, purse: int, amount_fen: int, after: int, on: dt.date, metro: bytes | None
    ) -> SectorTrade:
        view = self.view
        self._view = None  # until it is done, nobody knows what the card holds
        started = counted(view.info, purse, kind=kind, flag=self._plan.started[purse])
        started = evolve(started, on=on, pointer=(view.info.pointer + 1) % len(self._plan.history))
        trade = SectorTrade(
            outcome=TradeOutcome.NOT_DONE,
            card=view.card,
            kind=kind,
            amount_fen=amount_fen,
            balance_before_fen=view.dedicated if purse else view.balance_fen,
            balance_after_fen=after,
            count=started.other_count if purse else started.public_count,
            terminal=self._terminal,
            on=on,
            complete=False,
        )
        try:
            self._begin(trade, view, started, metro)
        except _GONE:
            return trade
        try:
            self._commit(trade, purse)
        except _GONE:
            self._open_trades.remember(view.card, after)
            return attrs.evolve(trade, outcome=TradeOutcome.UNKNOWN)
        done = self._proven(attrs.evolve(trade, outcome=TradeOutcome.DONE))
        finished = evolve(started, flag=self._plan.finished[purse])
        block = None if metro is None else seal_x25(metro, self._plan.metro_prefix)
        try:
            self._finish(finished, purse, block)
        except _GONE:
            return done
        self._view = attrs.evolve(
            view,
            balance_fen=view.balance_fen if purse else after,
            dedicated=after if purse else view.dedicated,
            info=finished,
            metro=block or view.metro,
            rules=(),
            recovered=None,
        )
        return attrs.evolve(done, complete=True)

    def _begin(self, trade: SectorTrade, view: SectorView, started: PurseInfo, metro: bytes | None) -> None:
        """Steps 1 to 3: history, information started, metro."""
        line = History(
            kind=trade.kind,
            operator=trade.terminal[:4],
            terminal=trade.terminal[4:],
            on=f"{started.on:%y%m%d}",
            balance_before_fen=min(trade.balance_before_fen, LARGEST_BALANCE_FEN),
            amount_fen=min(trade.amount_fen, LARGEST_AMOUNT_FEN),
        )
        history = self._plan.history
        self._write(history[view.info.pointer % len(history)], sealed(line))
        self._write(self._plan.info.main, sealed(started))
        if metro is not None and self._plan.metro is not None:
            self._write(self._plan.metro.main, seal_x25(metro, self._plan.metro_prefix))

    def _commit(self, trade: SectorTrade, purse: int) -> None:
        """Step 4, the point of no return: DECREMENT or INCREMENT, and TRANSFER."""
        main = self._plan.purses[purse].main
        if trade.balance_after_fen > trade.balance_before_fen:
            self._reader.increment(main, trade.amount_fen, KeyKind.B)
        else:
            self._reader.decrement(main, trade.amount_fen, self._purse_key)

    def _finish(self, finished: PurseInfo, purse: int, metro: bytes | None) -> None:
        """Steps 5 to 8: information finished, purse backup, information backup, metro backup."""
        pair = self._plan.purses[purse]
        self._write(self._plan.info.main, sealed(finished))
        self._reader.copy(pair.main, pair.backup, self._purse_key)
        self._write(self._plan.info.backup, sealed(finished))
        if metro is not None and self._plan.metro is not None:
            self._write(self._plan.metro.backup, metro)

    def _proven(self, trade: SectorTrade) -> SectorTrade:
        if self._tac is None or trade.on is None:
            return trade
        tac = self._tac(
            bytes.fromhex(trade.card),
            trade.amount_fen,
            trade.kind,
            bytes.fromhex(trade.terminal),
            trade.count,
            trade.on,
        )
        return attrs.evolve(trade, tac=tac)
