from __future__ import annotations

import datetime as dt

import pytest

from citycard.card.codec import decode, encode
from citycard.errors import CardRefused, TerminalInvalid
from citycard.terminal import (
    Acceptance,
    InProcessReader,
    RecordFlag,
    RecordKind,
    RecordPlan,
    SoftSam,
    Terminal,
    TransactionRecord,
    read_batch,
    read_record,
)

AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
NUMBER = "300089000340"
PLAN = RecordPlan(kind=RecordKind.EXIT, service=0x0102, facts=b"\xabgate", list_price_fen=500, transfer=True)


def check_mac(vault):
    return lambda record: vault.check_terminal_mac(bytes.fromhex(NUMBER), record[:122], record[122:126])


def test_a_record_says_what_card_and_terminal_said(card, make_terminal, vault) -> None:
    terminal = make_terminal(config_number=9, acceptance=Acceptance(blacklist_number=4))
    session = terminal.tap(InProcessReader(card), AT)
    debit = session.purchase(475, AT, plan=PLAN)
    record = terminal.record(debit)
    read = read_record(record)
    assert read == TransactionRecord(
        kind=RecordKind.EXIT,
        tti=0x06,
        flags=int(RecordFlag.TRANSFER),
        service=0x0102,
        issuer="01015840FFFFFFFF",
        asn="03105170070104791381",
        card_kind=1,
        key_version=1,
        algorithm=0,
        counter=0,
        balance_before_fen=10_000,
        amount_fen=475,
        balance_after_fen=9_525,
        terminal=NUMBER,
        terminal_serial=1,
        at=AT,
        tac=debit.tac,
        config=9,
        blacklist=4,
        list_price_fen=500,
        facts=b"\xabgate".ljust(48, b"\0"),
        mac=record[122:126],
    )
    assert encode(read) == record
    assert check_mac(vault)(record)


def test_a_changed_record_does_not_carry_its_mac(card, make_terminal, vault) -> None:
    terminal = make_terminal()
    record = terminal.record(terminal.tap(InProcessReader(card), AT).purchase(475, AT, plan=PLAN))
    for at in range(126):
        assert not check_mac(vault)(record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :])


def test_batches_are_numbered_and_their_records_counted_through(card, make_terminal, vault) -> None:
    terminal = make_terminal(next_batch=3, next_sequence=100)
    reader = InProcessReader(card)
    for _ in range(2):
        terminal.record(terminal.tap(reader, AT).purchase(100, AT, plan=PLAN))
    records = terminal.records
    first = terminal.close_batch(AT.date(), AT)
    assert terminal.records == ()
    assert terminal.close_batch(AT.date(), AT) is None
    terminal.record(terminal.tap(reader, AT).purchase(100, AT, plan=PLAN))
    second = terminal.close_batch(AT.date(), AT)

    def verify(number: str, digest: bytes, signature: bytes) -> bool:
        key = vault.terminal_key(bytes.fromhex(number))
        return SoftSam(number, vault.sam_keys(), key).sign_batch(digest) == signature

    one, two = read_batch(first, verify), read_batch(second, verify)
    assert one.records == records
    assert (one.header.number, one.header.first_sequence, one.header.count) == (3, 100, 2)
    assert (two.header.number, two.header.first_sequence, two.header.count) == (4, 102, 1)
    assert one.trailer.total_fen == 200


def test_a_debit_without_record_is_found_at_the_next_sight(card, make_terminal) -> None:
    terminal = make_terminal()
    reader = InProcessReader(card)
    terminal.tap(reader, AT).purchase(
        475, AT, plan=PLAN
    )  # the terminal lost its power before it could record
    session = terminal.tap(reader, AT)
    assert session.view.recovered is not None
    (record,) = terminal.records
    assert decode(TransactionRecord, record).flags == RecordFlag.RECOVERED | RecordFlag.TRANSFER


def test_a_second_debit_waits_for_the_record_of_the_first(card, make_terminal) -> None:
    terminal = make_terminal()
    session = terminal.tap(InProcessReader(card), AT)
    debit = session.purchase(100, AT)
    with pytest.raises(TerminalInvalid, match="has a transaction without a record"):
        session.purchase(100, AT)
    terminal.record(debit)
    assert session.purchase(100, AT).counter == 1


def test_a_plan_given_late_overrides_the_debits_own(card, make_terminal) -> None:
    terminal = make_terminal()
    debit = terminal.tap(InProcessReader(card), AT).purchase(0, AT, plan=PLAN)
    record = terminal.record(debit, RecordPlan(kind=RecordKind.ENTRY, service=5))
    assert (read_record(record).kind, read_record(record).service) == (RecordKind.ENTRY, 5)


def test_facts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="facts"):
        RecordPlan(facts=bytes(49))


def test_a_sam_of_another_terminal_is_refused(vault) -> None:
    sam = SoftSam("000000000001", vault.sam_keys(), bytes(16))
    with pytest.raises(TerminalInvalid, match="its SAM belongs to terminal 000000000001"):
        Terminal(NUMBER, sam)


def test_a_blacklisted_card_is_refused_before_its_purse_is_touched(card, make_terminal) -> None:
    terminal = make_terminal(acceptance=Acceptance(blacklist={"03105170070104791381"}, blacklist_number=2))
    with pytest.raises(CardRefused, match=r"\(blacklisted\): it was reported lost or misused"):
        terminal.tap(InProcessReader(card), AT)


def test_a_terminal_shows_no_keys(make_terminal) -> None:
    assert repr(make_terminal()) == f"<Terminal {NUMBER}, batch 1, 0 records>"
