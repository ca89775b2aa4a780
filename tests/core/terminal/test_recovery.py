"""Cards torn from the reader at every point: money moves once, and one record says so.

The expectations are kept apart from the code: balances are asked of the card by its own commands, records are
cut from their bytes by offset (docs/terminal.md), and TACs are checked by the vault.
"""

from __future__ import annotations

import datetime as dt
import itertools
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.chip.records import cyclic_append
from citycard.errors import CardRemoved
from citycard.terminal import InProcessReader, RecordKind, RecordPlan

AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
FARE = 385
BODY = b"\x02" + b"\x11" * 39
JOURNEY = b"\x04" + b"\x00" * 47
OTHER = "300089000777"
PLAN = RecordPlan(kind=RecordKind.EXIT, service=3, facts=b"x")


def purse(card) -> int:
    """Ask the card itself."""
    card.power_on()
    card.transmit(bytes.fromhex("00A4040008A00000063201010500"))
    answer = card.transmit(bytes.fromhex("805C000204"))
    assert answer[4:] == b"\x90\x00"
    return int.from_bytes(answer[:4], "big")


def counter(card) -> int:
    purse(card)
    answer = card.transmit(bytes.fromhex("805001020B01") + bytes(4) + bytes.fromhex("300089000340") + b"\x0f")
    assert answer[-2:] == b"\x90\x00"
    return int.from_bytes(answer[4:6], "big")


def sector_and_journey(card) -> tuple[bytes, bytes]:
    purse(card)
    sector = card.transmit(bytes.fromhex("00B201D400"))[3:43]
    return sector, card.transmit(bytes.fromhex("00B201F400"))[:48]


def told(record: bytes) -> dict[str, int]:
    return {
        "flags": record[3],
        "counter": int.from_bytes(record[27:29], "big"),
        "before": int.from_bytes(record[29:33], "big"),
        "amount": int.from_bytes(record[33:37], "big"),
        "after": int.from_bytes(record[37:41], "big"),
    }


def proven(vault, record: bytes) -> bool:
    return vault.check_purchase_tac(
        asn8=record[16:24],
        key_version=record[25],
        amount_fen=int.from_bytes(record[33:37], "big"),
        tti=record[2],
        terminal6=record[41:47],
        serial=int.from_bytes(record[47:51], "big"),
        datetime7=record[51:58],
        tac4=record[58:62],
    )


def say(line: str) -> None:
    """Show a count in the output of ``pytest -s``; it is kept in the JUnit report too."""
    sys.stdout.write(f"{line}\n")


def ride(terminal, reader, arm: Callable[[], None] = lambda: None, *, composite: bool) -> None:
    """Do what a gate does at each sight of a card: charge, unless the last tear turns out to be this ride."""
    session = terminal.tap(reader, AT)
    if session.view.recovered is not None:
        return
    arm()
    if composite:
        updates = [
            session.write_sector(terminal.place, BODY),
            session.write_journey(JOURNEY),
        ]
        terminal.record(session.capp(FARE, AT, updates, plan=PLAN))
    else:
        terminal.record(session.purchase(FARE, AT, plan=PLAN))


def until_done(action: Callable[[], None]) -> int:
    """Hold the card to the reader until the action ends; return how often it was torn away."""
    for tears in itertools.count():
        try:
            action()
        except CardRemoved:
            continue
        return tears
    raise AssertionError


@pytest.fixture
def gate(make_terminal, version):
    def make(number: str = "300089000340", **settings):
        terminal = make_terminal(number, **settings)
        terminal.place = version.place("ride")
        return terminal

    return make


# Clean: nothing of the failing write arrives. Torn: half of it, and a spoilt byte.
SHAPES = pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn"])


@SHAPES
@pytest.mark.parametrize("composite", [False, True], ids=["purchase", "composite"])
def test_a_debit_cut_at_any_write_is_charged_and_recorded_once(
    card, gate, vault, composite, torn, record_property
) -> None:
    recovered = repeated = 0
    for cut in itertools.count():
        chip, terminal = card.clone(), gate()
        reader = InProcessReader(chip)
        try:
            ride(terminal, reader, lambda c=chip, n=cut: c.eeprom.cut_after(n, torn), composite=composite)
        except CardRemoved:
            chip.eeprom.cut_after(None)
            until_done(lambda t=terminal, r=reader: ride(t, r, composite=composite))
        else:
            chip.eeprom.cut_after(None)
            break
        (record,) = terminal.records
        assert purse(chip) == 10_000 - FARE
        assert counter(chip) == 1
        assert told(record) | {"flags": 0} == {
            "flags": 0,
            "counter": 0,
            "before": 10_000,
            "amount": FARE,
            "after": 10_000 - FARE,
        }
        assert proven(vault, record)
        assert len(terminal.journal) == 0
        if composite:
            assert sector_and_journey(chip) == (BODY, JOURNEY)
        recovered += told(record)["flags"] & 1
        repeated += not told(record)["flags"] & 1
    assert cut > 5
    assert recovered
    assert repeated
    record_property("cuts", cut)
    say(f"\n{cut} cuts: {recovered} found done, {repeated} found not done and repeated")


@SHAPES
def test_a_load_cut_at_any_write_is_granted_once(card, gate, host, torn, record_property) -> None:
    for cut in itertools.count():
        chip = card.clone()
        host.book.clear()
        terminal, reader = gate(host=host), InProcessReader(chip)
        session = terminal.tap(reader, AT)
        chip.eeprom.cut_after(cut, torn)
        try:
            session.load(5_000, AT)
        except CardRemoved:
            chip.eeprom.cut_after(None)
        else:
            break
        session = terminal.tap(reader, AT)
        if session.view.recovered_load is None:
            assert purse(chip) == 10_000
            assert host.states() == ["reversed"]
            terminal.tap(reader, AT).load(5_000, AT)
        assert purse(chip) == 15_000
        assert host.states() == ["proven"]
        assert len(terminal.journal) == 0
    assert cut > 5
    record_property("cuts", cut)
    say(f"\n{cut} cuts of a load")


@pytest.mark.parametrize("composite", [False, True], ids=["purchase", "composite"])
def test_power_may_go_again_while_the_card_mends_itself(card, gate, composite, record_property) -> None:
    cuts = 0
    for first in itertools.count():
        probe = card.clone()
        try:
            ride(
                gate(),
                InProcessReader(probe),
                lambda c=probe, n=first: c.eeprom.cut_after(n),
                composite=composite,
            )
        except CardRemoved:
            pass
        else:
            break
        for second in itertools.count():
            chip, terminal = card.clone(), gate()
            reader = InProcessReader(chip)
            with pytest.raises(CardRemoved):
                ride(terminal, reader, lambda c=chip, n=first: c.eeprom.cut_after(n), composite=composite)
            chip.eeprom.cut_after(second, torn=True)
            tears = until_done(lambda t=terminal, r=reader: ride(t, r, composite=composite))
            chip.eeprom.cut_after(None)
            assert purse(chip) == 10_000 - FARE
            assert [told(record)["amount"] for record in terminal.records] == [FARE]
            cuts += tears
            if not tears:
                break
    record_property("cuts", cuts)
    say(f"\n{cuts} second cuts")
    assert cuts > 10


class Torn:
    """A reader from which the card is torn at the n-th command: before it is heard, or after its answer."""

    def __init__(self, card, at: int, *, heard: bool) -> None:
        self._reader, self._left, self._heard = InProcessReader(card), at, heard

    def connect(self) -> bytes:
        return self._reader.connect()

    def transmit(self, apdu: bytes) -> bytes:
        self._left -= 1
        if self._left == -1 and not self._heard:
            raise CardRemoved(during="test")
        answer = self._reader.transmit(apdu)
        if self._left == -1:
            raise CardRemoved(during="test")
        return answer


@pytest.mark.parametrize("heard", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("composite", [False, True], ids=["purchase", "composite"])
def test_a_card_removed_around_any_command_is_charged_and_recorded_once(
    card, gate, vault, composite, heard, record_property
) -> None:
    for at in itertools.count():
        chip, terminal = card.clone(), gate()
        try:
            ride(terminal, Torn(chip, at, heard=heard), composite=composite)
        except CardRemoved:
            pass
        else:
            break
        for again in range(3):  # the second sight is torn too, then the third succeeds
            try:
                ride(terminal, Torn(chip, at if again == 0 else 1000, heard=heard), composite=composite)
            except CardRemoved:
                continue
            break
        (record,) = terminal.records
        assert purse(chip) == 10_000 - FARE
        assert proven(vault, record)
    record_property("cuts", at)
    say(f"\n{at} commands")
    assert at == (8 if composite else 6)


@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
def test_another_terminal_in_between_hides_nothing(card, gate, done) -> None:
    first, second = gate(), gate(OTHER)
    # Commands of a purchase tap: select, EF 15, EF 17, balance, initialise, debit.
    with pytest.raises(CardRemoved):
        ride(first, Torn(card, 5, heard=done), composite=False)
    ride(second, InProcessReader(card), composite=False)
    ride(first, InProcessReader(card), composite=False)
    charged = [told(record) for record in (*first.records, *second.records)]
    assert purse(card) == 10_000 - 2 * FARE
    assert sorted(record["counter"] for record in charged) == [0, 1]
    assert {record["amount"] for record in charged} == {FARE}
    # The second terminal's proof has replaced the first's: done, but without a TAC.
    assert told(first.records[0])["flags"] == (0b101 if done else 0)


def test_a_line_of_the_passbook_under_the_same_counter_hides_nothing(card, gate) -> None:
    terminal = gate()
    with pytest.raises(CardRemoved):
        ride(terminal, Torn(card, 5, heard=True), composite=False)
    card.power_on()
    log = next(
        directory for directory in card.structure.directories.values() if 0x18 in directory.files
    ).files[0x18]
    line = bytes.fromhex("0001000000000000FA05300089000340") + bytes.fromhex("20260302081531")
    card.eeprom.commit(cyclic_append(card.eeprom.cells, log, line))
    ride(terminal, InProcessReader(card), composite=False)
    assert (purse(card), len(terminal.records)) == (10_000 - FARE, 1)


def test_a_card_that_comes_back_too_late_leaves_an_unproven_record_and_rides_on(card, gate) -> None:
    first, second = gate(), gate(OTHER)
    with pytest.raises(CardRemoved):
        ride(first, Torn(card, 5, heard=True), composite=False)
    for _ in range(12):
        ride(second, InProcessReader(card), composite=False)
    session = first.tap(InProcessReader(card), AT)
    assert session.view.recovered is None
    assert session.view.unresolved is not None
    assert told(first.records[0])["flags"] == 0b100
    assert len(first.journal) == 0
    first.record(session.purchase(FARE, AT))
    assert purse(card) == 10_000 - 14 * FARE


def test_a_card_that_never_returns_is_handed_in_as_open(card, gate) -> None:
    terminal = gate()
    with pytest.raises(CardRemoved):
        ride(terminal, Torn(card, 5, heard=True), composite=False)
    assert terminal.close_batch(AT.date(), AT) is None
    assert terminal.hand_in_open(AT) == 0
    assert terminal.hand_in_open(AT + dt.timedelta(seconds=1)) == 1
    (record,) = terminal.records
    assert told(record)["flags"] == 0b100
    assert record[58:62] == bytes(4)
    assert len(terminal.journal) == 0


def test_a_done_debit_is_found_though_the_card_expired_meanwhile(card, gate) -> None:
    terminal = gate()
    with pytest.raises(CardRemoved):
        ride(terminal, Torn(card, 5, heard=True), composite=False)
    late = dt.datetime.fromisoformat("2040-01-01T00:00:00")
    assert terminal.tap(InProcessReader(card), late).view.recovered is not None
    assert told(terminal.records[0])["flags"] == 0b001


def test_a_purse_whose_log_is_closed_is_still_mended(card, gate) -> None:
    class Closed(InProcessReader):
        def transmit(self, apdu: bytes) -> bytes:
            return b"\x69\x82" if apdu[:2] == b"\x00\xb2" and apdu[3] == 0xC4 else super().transmit(apdu)

    terminal = gate()
    with pytest.raises(CardRemoved):
        ride(terminal, Torn(card, 5, heard=True), composite=False)
    ride(terminal, Closed(card), composite=False)
    assert told(terminal.records[0])["flags"] == 0b001
    assert purse(card) == 10_000 - FARE


def test_a_torn_debit_whose_proof_is_forged_is_not_genuine(card, gate) -> None:
    from citycard.errors import CardRefused

    class Forged(InProcessReader):
        def transmit(self, apdu: bytes) -> bytes:
            answer = super().transmit(apdu)
            return b"\0" * 8 + answer[8:] if apdu[:2] == b"\x80\x5a" else answer

    terminal = gate()
    with pytest.raises(CardRemoved):
        ride(terminal, Torn(card, 5, heard=True), composite=False)
    with pytest.raises(CardRefused, match=r"\(not-genuine\)"):
        ride(terminal, Forged(card), composite=False)
    assert terminal.records == ()


STEPS = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(0, 14), st.booleans(), st.integers(0, 40)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_through_any_day_of_tears_the_card_and_the_records_agree(card, gate, steps) -> None:
    chip = card.clone()
    gates = {False: gate(), True: gate(OTHER)}
    for other, composite, command, heard, write in steps:
        chip.eeprom.cut_after(write, torn=heard)
        with suppress(CardRemoved):
            ride(gates[other], Torn(chip, command, heard=heard), composite=composite)
        chip.eeprom.cut_after(None)
    for terminal in gates.values():
        terminal.tap(InProcessReader(chip), AT)
    records = [told(record) for terminal in gates.values() for record in terminal.records]
    assert purse(chip) == 10_000 - sum(record["amount"] for record in records)
    assert sorted(record["counter"] for record in records) == list(range(counter(chip)))
    for record in records:
        assert record["before"] == 10_000 - FARE * record["counter"]
