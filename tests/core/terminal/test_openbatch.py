"""The power goes at every place a terminal writes: no record is lost, and none is made twice."""

from __future__ import annotations

import datetime as dt
import os
from contextlib import ExitStack, suppress

import pytest

from citycard.errors import CardRemoved, OpenBatchDamaged, ReaderFailed, TerminalInvalid
from citycard.terminal import FileJournal, FileOpenBatch, InProcessReader, OpenBatch, read_batch

AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
NUMBER = "300089000340"


class Cut(Exception):
    """The terminal's own power goes."""


def record(serial: int) -> bytes:
    return (
        bytes(14) + bytes.fromhex("03105170070104791381") + bytes(23) + serial.to_bytes(4, "big") + bytes(77)
    )


@pytest.fixture
def opened(tmp_path):
    """Open the batch of the folder; whatever was opened is closed in the end."""
    with ExitStack() as stack:

        def begin(terminal: str = NUMBER) -> FileOpenBatch:
            batch = FileOpenBatch(tmp_path, terminal)
            stack.callback(batch.shut)
            return batch

        yield begin


@pytest.fixture
def life(tmp_path, make_terminal, opened):
    """Give the terminal of a folder another life: as after its power came back."""
    with ExitStack() as stack:

        def begin(serial: int = 0):
            journal = FileJournal(tmp_path / "journal")
            stack.callback(journal.close)
            terminal = make_terminal(journal=journal, batch=opened())
            terminal._sam.serial = serial
            return terminal

        yield begin


def test_records_are_there_after_the_power_came_back(life, card):
    terminal = life()
    for _ in range(2):
        terminal.record(terminal.tap(InProcessReader(card), AT).purchase(100, AT))
    again = life()
    assert again.records == terminal.records
    assert (again.next_batch, again.next_sequence) == (1, 1)


def test_batches_go_on_where_the_last_life_ended(life, card):
    terminal = life()
    terminal.record(terminal.tap(InProcessReader(card), AT).purchase(100, AT))
    first = terminal.close_batch(AT.date(), AT)
    again = life(serial=1)
    assert (again.next_batch, again.next_sequence, again.records) == (2, 2, ())
    again.record(again.tap(InProcessReader(card), AT).purchase(100, AT))
    second = again.close_batch(AT.date(), AT)
    assert [path.read_bytes() for path in again._batch.closed()] == [first, second]
    assert [read_batch(data).header.first_sequence for data in (first, second)] == [1, 2]


@pytest.mark.parametrize("cut", range(5))
def test_a_power_cut_at_any_write_loses_no_record_and_makes_none_twice(life, card, monkeypatch, cut):
    terminal = life()
    true_fsync, left = os.fsync, [cut]

    def fsync(number: int) -> None:
        true_fsync(number)
        left[0] -= 1
        if left[0] < 0:
            raise Cut

    monkeypatch.setattr(os, "fsync", fsync)
    with suppress(Cut):
        terminal.record(terminal.tap(InProcessReader(card), AT).purchase(100, AT))
    monkeypatch.undo()
    again = life(serial=1)
    view = again.tap(InProcessReader(card), AT).view
    spent = 10_000 - view.balance_fen
    assert [int.from_bytes(each[33:37], "big") for each in again.records] == [100] * (spent // 100)


@pytest.mark.parametrize("cut", range(5))
def test_a_power_cut_while_a_batch_is_closed_hands_it_in_once(life, card, monkeypatch, cut):
    terminal = life()
    terminal.record(terminal.tap(InProcessReader(card), AT).purchase(100, AT))
    true_fsync, left = os.fsync, [cut]

    def fsync(number: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Cut
        true_fsync(number)

    monkeypatch.setattr(os, "fsync", fsync)
    with suppress(Cut):
        terminal.close_batch(AT.date(), AT)
    monkeypatch.undo()
    again = life(serial=1)
    again.close_batch(AT.date(), AT)
    assert [path.name for path in again._batch.closed()] == ["batch-0000000001.ccb"]
    assert read_batch(again._batch.closed()[0].read_bytes()).header.count == 1
    assert (again.next_batch, again.next_sequence, again.records) == (2, 2, ())


class Unplugged(InProcessReader):
    """A reader that is pulled out around one command: before the card heard it, or after it answered."""

    def __init__(self, card, at: int, *, heard: bool) -> None:
        super().__init__(card)
        self._left, self._heard = at, heard

    def transmit(self, apdu: bytes) -> bytes:
        self._left -= 1
        if self._left == -1 and self._heard:
            super().transmit(apdu)
        if self._left < 0:
            self._card.power_off()
            raise ReaderFailed(reader="gate reader", problem="unplugged", during=f"command {apdu[:2].hex()}")
        return super().transmit(apdu)


@pytest.mark.parametrize("heard", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("power", [False, True], ids=["terminal-on", "terminal-cut"])
@pytest.mark.parametrize("step", range(6))
def test_a_reader_unplugged_at_any_step_is_made_good_at_the_next_tap(life, card, step, power, heard):
    # Select, EF 15, EF 17, balance, initialise, debit.
    terminal = life()
    with pytest.raises(CardRemoved):
        terminal.tap(Unplugged(card, step, heard=heard), AT).purchase(100, AT)
    if power:
        terminal = life(serial=1)
    session = terminal.tap(InProcessReader(card), AT)
    if session.view.recovered is None:
        terminal.record(session.purchase(100, AT))
    (record,) = terminal.records
    assert int.from_bytes(record[33:37], "big") == 100
    assert record[3] == (1 if step == 5 and heard else 0)
    assert terminal.tap(InProcessReader(card), AT).view.balance_fen == 9_900
    assert len(terminal.journal) == 0


@pytest.mark.parametrize("kept", [1, 64, 128, 131])
def test_a_record_half_written_is_dropped(tmp_path, opened, kept):
    batch = opened()
    batch.add(record(1))
    batch.add(record(2))
    batch.shut()
    path = tmp_path / "open.ccr"
    path.write_bytes(path.read_bytes()[: -132 + kept])
    again = opened()
    assert again.records == [record(1)]
    again.add(record(3))
    assert opened().records == [record(1), record(3)]


@pytest.mark.parametrize("place", [0, 5, 30])
def test_a_damaged_file_is_not_gone_on_with(tmp_path, opened, place):
    batch = opened()
    batch.add(record(1))
    batch.add(record(2))
    batch.shut()
    path = tmp_path / "open.ccr"
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(OpenBatchDamaged, match="begins no record"):
        opened()
    assert path.read_bytes() == bytes(data)


def test_the_folder_of_another_terminal_is_refused(opened):
    opened().shut()
    with pytest.raises(TerminalInvalid, match="is the open batch of terminal 300089000340"):
        opened("300089000341")


def test_a_batch_knows_its_records_by_card_and_serial():
    batch = OpenBatch(number=7, first_sequence=101)
    batch.add(record(5))
    assert batch.holds("03105170070104791381", 5)
    assert not batch.holds("03105170070104791381", 6)
    assert not batch.holds("03105170070104791382", 5)
