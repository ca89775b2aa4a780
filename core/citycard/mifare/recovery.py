"""Recovery of a torn sector card: what its copies say, and the writes that mend it (docs/mifare.md, R0-R9).

Pure: blocks in, steps out. The steps may be interrupted anywhere: deciding again from what the card holds
then leads to the same end. The order of the steps is part of that.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from citycard.card.codec import evolve
from citycard.errors import SectorCardRefused
from citycard.mifare.crc import is_sealed_x25, seal_x25
from citycard.mifare.layouts import PurseInfo, TradeKind, line_before, read_info, sealed
from citycard.mifare.plan import Pair, SectorPlan
from citycard.mifare.value import read_value

__all__ = ["CardCopies", "CopyPurse", "Recovery", "Step", "WriteBlock", "counted", "recover"]

_LOADS = (TradeKind.LOAD_PUBLIC, TradeKind.LOAD_DEDICATED)
_PURCHASES = (TradeKind.PURCHASE_PUBLIC, TradeKind.PURCHASE_DEDICATED)
_COUNTERS = 1 << 16


@attrs.frozen(kw_only=True)
class CardCopies:
    """The blocks that come in pairs, main and backup, 16 bytes each; ``purses`` as the plan lists them.

    ``history`` is there when the main information is torn: it knows the trade's day. ``undo_balance_fen``
    is what this reader remembers of the card, for R2.
    """

    purses: tuple[tuple[bytes, bytes], ...]
    info: tuple[bytes, bytes]
    metro: tuple[bytes, bytes] | None = None
    history: tuple[bytes, ...] = ()
    undo_balance_fen: int | None = None


@attrs.frozen
class CopyPurse:
    """RESTORE one block of a purse and TRANSFER it to the other."""

    source: int
    target: int


@attrs.frozen
class WriteBlock:
    """Write a block whole."""

    block: int
    data: bytes


Step = CopyPurse | WriteBlock


@attrs.frozen(kw_only=True)
class Recovery:
    """What has to be done: the rules that apply, the steps in order, and the card as it is afterwards.

    ``balances`` are those of the purses; ``finished`` is the purse whose torn trade turns out to be done, of
    ``amount_fen`` (None: no such trade).
    """

    rules: tuple[str, ...]
    steps: tuple[Step, ...]
    balances: tuple[int, ...]
    info: PurseInfo
    metro: bytes | None = None
    finished: int | None = None
    amount_fen: int = 0


def recover(plan: SectorPlan, copies: CardCopies) -> Recovery:
    """Decide how to mend a card; no steps for one that is whole. Raises SectorCardRefused for R0."""
    return _Decision(plan, copies).decide()


class _Decision:
    def __init__(self, plan: SectorPlan, copies: CardCopies) -> None:
        self.plan = plan
        self.copies = copies
        self.rules: list[str] = []
        self.steps: list[Step] = []
        self.purses: list[list[int]] = []

    def decide(self) -> Recovery:
        for pair, blocks in zip(self.plan.purses, self.copies.purses, strict=True):
            self._repair(pair, blocks)
        self._undo()
        main, backup = (read_info(block) for block in self.copies.info)
        purse = self._purse_in_play(main, backup)
        before = self.purses[purse]
        amount_fen = before[0] - before[1]
        info = self._mend_info(purse, main, backup)
        finished = purse if amount_fen and self.rules else None
        for other in range(len(self.purses)):
            self._equalise(other)
        metro = self._mend_metro()
        return Recovery(
            rules=tuple(self.rules),
            steps=tuple(self.steps),
            balances=tuple(values[0] for values in self.purses),
            info=info,
            metro=metro,
            finished=finished,
            amount_fen=abs(amount_fen),
        )

    # ── the purse ──

    def _repair(self, pair: Pair, blocks: tuple[bytes, bytes]) -> None:
        main, backup = (read_value(block) for block in blocks)
        if main is None and backup is None:
            raise SectorCardRefused(
                reason="purse-damaged",
                explanation="both copies of its purse are damaged (E5); exchange it at a service point",
            )
        if main is None or backup is None:
            self.rules.append("R1")
            source, target = (pair.backup, pair.main) if main is None else (pair.main, pair.backup)
            self.steps.append(CopyPurse(source, target))
        first = backup if main is None else main
        second = main if backup is None else backup
        assert first is not None
        assert second is not None
        self.purses.append([first, second])

    def _undo(self) -> None:
        wanted = self.copies.undo_balance_fen
        for pair, values in zip(self.plan.purses, self.purses, strict=True):
            if wanted is not None and values[0] != values[1] and values[0] == wanted:
                self.rules.append("R2")
                self.steps.append(CopyPurse(pair.backup, pair.main))
                values[0] = values[1]

    def _purse_in_play(self, main: PurseInfo | None, backup: PurseInfo | None) -> int:
        """Say whose trade is torn: the purse whose copies differ, else that of the last kind written."""
        unequal = [number for number, (first, second) in enumerate(self.purses) if first != second]
        last = main or backup or PurseInfo()
        named = int(last.kind in {TradeKind.LOAD_DEDICATED, TradeKind.PURCHASE_DEDICATED})
        named = min(named, len(self.purses) - 1)
        return named if named in unequal or not unequal else unequal[0]

    def _equalise(self, purse: int) -> None:
        pair, values = self.plan.purses[purse], self.purses[purse]
        if values[0] != values[1]:
            self.rules.append("R8")
            self._forward(pair, values)

    def _forward(self, pair: Pair, values: list[int]) -> None:
        if values[0] != values[1]:
            self.steps.append(CopyPurse(pair.main, pair.backup))
            values[1] = values[0]

    # ── the information ──

    def _mend_info(self, purse: int, main: PurseInfo | None, backup: PurseInfo | None) -> PurseInfo:
        values = self.purses[purse]
        happened = values[0] != values[1]
        if main is None and backup is None:
            return self._both_lost()
        if main is None:
            assert backup is not None
            return self._main_lost(purse, backup, happened=happened)
        if backup is None:
            self.rules.append("R5")
            self._write_info(main, to_main=False)
            return main
        if main == backup:
            return main
        if main.flag in self.plan.started:
            return self._started(purse, main, backup, happened=happened)
        self.rules.append("R7")
        self._forward(self.plan.purses[purse], values)
        self._write_info(main, to_main=False)
        return main

    def _both_lost(self) -> PurseInfo:
        self.rules.append("R3")
        empty = PurseInfo()
        self._write_info(empty, to_main=True)
        self._write_info(empty, to_main=False)
        return empty

    def _main_lost(self, purse: int, backup: PurseInfo, *, happened: bool) -> PurseInfo:
        if not happened:
            self.rules.append("R4'")
            self._undo_metro()
            self._write_info(backup, to_main=True)
            return backup
        self.rules.append("R4")
        values = self.purses[purse]
        kinds = _LOADS if values[0] > values[1] else _PURCHASES
        done = counted(backup, purse, kind=kinds[purse], flag=self.plan.finished[purse])
        line = line_before(self.copies.history, values[1])
        if line is not None:
            done = evolve(done, on=line.day, pointer=(backup.pointer + 1) % len(self.plan.history))
        self._write_info(done, to_main=True)
        self._forward(self.plan.purses[purse], values)
        self._write_info(done, to_main=False)
        return done

    def _started(self, purse: int, main: PurseInfo, backup: PurseInfo, *, happened: bool) -> PurseInfo:
        if not happened:
            self.rules.append("R6'")
            self._undo_metro()
            self._write_info(backup, to_main=True)
            return backup
        self.rules.append("R6")
        done = evolve(main, flag=self.plan.finished[purse])
        self._write_info(done, to_main=True)
        self._forward(self.plan.purses[purse], self.purses[purse])
        self._write_info(done, to_main=False)
        return done

    def _write_info(self, info: PurseInfo, *, to_main: bool) -> None:
        pair = self.plan.info
        self.steps.append(WriteBlock(pair.main if to_main else pair.backup, sealed(info)))

    # ── the metro ──

    def _undo_metro(self) -> None:
        """Take the metro's journey back before the information says that there was no trade.

        The other way round, a tear between the two would leave a journey that nothing tells to undo.
        """
        pair, copies = self.plan.metro, self.copies.metro
        if pair is None or copies is None or not self._good(copies[1]) or copies[0] == copies[1]:
            return
        self.rules.append("R9")
        self.steps.append(WriteBlock(pair.main, copies[1]))
        self.copies = attrs.evolve(self.copies, metro=(copies[1], copies[1]))

    def _mend_metro(self) -> bytes | None:
        pair, copies = self.plan.metro, self.copies.metro
        if pair is None or copies is None:
            return None
        good = [block for block in copies if self._good(block)]
        wins = good[0] if good else seal_x25(bytes(14), self.plan.metro_prefix)
        places: Sequence[tuple[int, bytes]] = ((pair.main, copies[0]), (pair.backup, copies[1]))
        wrong = [WriteBlock(block, wins) for block, held in places if held != wins]
        if wrong:
            self.rules.append("R9")
            self.steps += wrong
        return wins

    def _good(self, block: bytes) -> bool:
        return is_sealed_x25(block, self.plan.metro_prefix)


def counted(info: PurseInfo, purse: int, *, kind: int, flag: int) -> PurseInfo:
    """Return the information after one more trade of a purse: its own counter goes up."""
    name = "other_count" if purse else "public_count"
    return evolve(info, flag=flag, kind=kind, **{name: (getattr(info, name) + 1) % _COUNTERS})
