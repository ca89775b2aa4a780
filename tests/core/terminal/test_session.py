from __future__ import annotations

import datetime as dt

import attrs
import pytest

from citycard.card.codec import decode
from citycard.card.files import LogRecord, TransactionType
from citycard.errors import (
    CardRefused,
    CardRemoved,
    CommandFailed,
    LoadRefused,
    SectorInvalid,
    TerminalInvalid,
)
from citycard.terminal import InProcessReader, Outcome, PurseSession, RecordKind, RecordPlan, SoftSam

AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
NUMBER = "300089000340"


@pytest.fixture
def session(card, vault):
    sam = SoftSam(NUMBER, vault.sam_keys(), vault.terminal_key(bytes.fromhex(NUMBER)))
    return PurseSession(InProcessReader(card), sam)


def check_tac(vault, debit) -> bool:
    return vault.check_purchase_tac(
        asn8=bytes.fromhex(debit.asn)[-8:],
        key_version=debit.key_version,
        amount_fen=debit.amount_fen,
        tti=debit.tti,
        terminal6=bytes.fromhex(debit.terminal),
        serial=debit.terminal_serial,
        datetime7=bytes.fromhex(f"{debit.at:%Y%m%d%H%M%S}"),
        tac4=debit.tac,
    )


def test_an_opened_card_shows_who_it_is(session) -> None:
    view = session.open(AT)
    assert (view.asn, view.asn8.hex()) == ("03105170070104791381", "5170070104791381")
    assert (view.issuer, view.card_kind, view.balance_fen) == ("01015840FFFFFFFF", 1, 10_000)
    assert (view.start, view.expiry) == (dt.date(2026, 1, 1), dt.date(2036, 1, 1))
    assert (view.recovered, view.unresolved, view.recovered_load) == (None, None, None)


def test_a_purchase_takes_the_money_and_proves_it(session, vault) -> None:
    session.open(AT)
    debit = session.purchase(250, AT)
    assert (debit.balance_before_fen, debit.amount_fen, debit.balance_after_fen) == (10_000, 250, 9_750)
    assert (debit.counter, debit.tti, debit.terminal_serial) == (0, 0x06, 1)
    assert (debit.recovered, debit.outcome) == (False, Outcome.DONE)
    assert check_tac(vault, debit)
    assert session.balance_fen == 9_750
    assert session.open(AT).balance_fen == 9_750


def test_a_composite_purchase_writes_its_records_with_the_money(session, vault, version) -> None:
    place = version.place("ride")
    session.open(AT)
    body = b"\x01" + bytes(39)
    journey = bytes.fromhex("03") + bytes(47)
    debit = session.capp(0, AT, [session.write_sector(place, body), session.write_journey(journey)])
    assert (debit.amount_fen, debit.tti) == (0, 0x09)
    assert check_tac(vault, debit)
    assert session.read_sector(place) == body
    assert session.read_record(0x1E, 1) == journey


def test_the_cards_own_log_names_the_debit(session) -> None:
    session.open(AT)
    session.purchase(250, AT)
    assert decode(LogRecord, session.read_record(0x18, 1)) == LogRecord(
        counter=1, amount_fen=250, tti=TransactionType.PURCHASE, terminal=NUMBER, at=AT
    )


def test_several_debits_can_follow_in_one_session(session) -> None:
    session.open(AT)
    debits = [session.purchase(100, AT) for _ in range(3)]
    assert [debit.counter for debit in debits] == [0, 1, 2]
    assert [debit.balance_before_fen for debit in debits] == [10_000, 9_900, 9_800]


def test_a_purse_that_is_short_is_refused_and_keeps_its_money(session) -> None:
    session.open(AT)
    with pytest.raises(CardRefused, match=r"\(funds\): its balance is too small"):
        session.purchase(10_001, AT)
    assert session.open(AT).balance_fen == 10_000


def test_a_load_asks_the_host_and_proves_itself_to_it(session, host) -> None:
    session.open(AT)
    load = session.load(5_000, AT, host)
    assert (load.counter, load.balance_before_fen, load.balance_after_fen) == (1, 10_000, 15_000)
    assert host.states() == ["proven"]
    assert session.open(AT).balance_fen == 15_000


def test_a_load_that_the_host_refuses_changes_nothing(session, host, monkeypatch) -> None:
    def no(*_: object) -> bytes:
        raise LoadRefused(reason="limit", explanation="the agent's quota is used up")

    monkeypatch.setattr(host, "begin", no)
    session.open(AT)
    with pytest.raises(LoadRefused, match="quota"):
        session.load(5_000, AT, host)
    assert session.open(AT).balance_fen == 10_000


def test_a_host_with_a_wrong_mac_cannot_load_and_is_told_so(session, host, monkeypatch) -> None:
    monkeypatch.setattr(host.vault.__class__, "load_mac2", lambda *_, **__: b"\0\0\0\0")
    session.open(AT)
    with pytest.raises(CommandFailed, match="the card answered 9302 to CREDIT FOR LOAD"):
        session.load(5_000, AT, host)
    assert host.states() == ["reversed"]
    assert session.open(AT).balance_fen == 10_000


def test_a_load_without_host_is_refused(session) -> None:
    session.open(AT)
    with pytest.raises(TerminalInvalid, match="no host that grants loads"):
        session.load(5_000, AT)


@pytest.mark.parametrize("amount_fen", [-1, 2**32])
def test_an_amount_that_no_purse_takes_is_refused(session, amount_fen: int) -> None:
    session.open(AT)
    with pytest.raises(TerminalInvalid, match="fen cannot be asked for: expected 0 to 4294967295"):
        session.purchase(amount_fen, AT)


def test_nothing_happens_before_a_card_is_opened(session) -> None:
    with pytest.raises(TerminalInvalid, match="no card is open"):
        session.purchase(100, AT)


def test_a_card_with_keys_of_another_city_is_refused(card) -> None:
    from citycard.keys import CORE_PURPOSES, KeyHierarchy, SoftKeys, Vault
    from citycard.keys.versions import KeyVersions

    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    other = Vault(SoftKeys(KeyHierarchy.from_root(bytes(16), bytes(8)).city_key()), versions)
    sam = SoftSam(NUMBER, other.sam_keys(), bytes(16))
    session = PurseSession(InProcessReader(card), sam)
    session.open(AT)
    with pytest.raises(CommandFailed, match="the card answered 9302 to DEBIT FOR PURCHASE"):
        session.purchase(100, AT)
    assert session.open(AT).balance_fen == 10_000


def test_a_card_of_a_key_version_the_sam_lacks_is_refused(card, vault) -> None:
    sam_keys = vault.sam_keys()
    sam = SoftSam(NUMBER, type(sam_keys)(purchase={9: sam_keys.purchase[1]}, versions=(9,)), bytes(16))
    session = PurseSession(InProcessReader(card), sam)
    session.open(AT)
    with pytest.raises(CardRefused, match=r"\(key\)"):
        session.purchase(100, AT)


class Tampering:
    """A reader that changes one answer, as a card that is not genuine would."""

    def __init__(self, card, head: bytes, change) -> None:
        self._reader, self._head, self._change = InProcessReader(card), head, change

    def connect(self) -> bytes:
        return self._reader.connect()

    def transmit(self, apdu: bytes) -> bytes:
        answer = self._reader.transmit(apdu)
        return self._change(answer) if apdu.startswith(self._head) else answer


def open_through(card, vault, head: bytes, change) -> PurseSession:
    sam = SoftSam(NUMBER, vault.sam_keys(), vault.terminal_key(bytes.fromhex(NUMBER)))
    session = PurseSession(Tampering(card, head, change), sam)
    session.open(AT)
    return session


def test_a_card_whose_mac2_is_wrong_is_not_genuine(card, vault) -> None:
    session = open_through(card, vault, b"\x80\x54", lambda answer: answer[:4] + b"\0\0\0\0\x90\x00")
    with pytest.raises(CardRefused, match=r"\(not-genuine\)"):
        session.purchase(100, AT)


def test_an_answer_without_status_is_a_removed_card(card, vault) -> None:
    sam = SoftSam(NUMBER, vault.sam_keys(), vault.terminal_key(bytes.fromhex(NUMBER)))

    class Mute:
        def power_on(self) -> bytes:
            return b"\x3b\x00"

        def transmit(self, apdu: bytes) -> bytes:
            return b""

    with pytest.raises(CardRemoved, match="during command 00A40400"):
        PurseSession(InProcessReader(Mute()), sam).open(AT)


@pytest.mark.parametrize(
    ("head", "answer", "reason"),
    [
        (b"\x00\xa4", b"\x6a\x82", "no-purse"),
        (b"\x00\xa4", b"\x6a\x81", "card-blocked"),
        (b"\x00\xa4", b"\x93\x03", "locked"),
        (b"\x00\xb0\x95", b"\xff" * 30 + b"\x90\x00", "unfinished"),
        (b"\x00\xb0\x95", b"\xab" * 30 + b"\x90\x00", "unreadable"),
        (b"\x00\xb0\x97", b"\x01\x90\x00", "unreadable"),
    ],
)
def test_a_card_that_is_no_working_purse_is_refused_with_a_reason(card, vault, head, answer, reason) -> None:
    with pytest.raises(CardRefused) as caught:
        open_through(card, vault, head, lambda _: answer)
    assert caught.value.data["reason"] == reason


def test_a_plan_travels_with_the_debit(session) -> None:
    plan = RecordPlan(kind=RecordKind.EXIT, service=7, facts=b"gate 3")
    session.open(AT)
    assert session.capp(100, AT, [], plan=plan).plan == plan


def test_fractions_of_a_second_do_not_reach_the_card(session, vault) -> None:
    session.open(AT)
    debit = session.purchase(100, AT.replace(microsecond=999_999))
    assert debit.at == AT
    assert check_tac(vault, debit)


def test_a_sector_of_a_new_card_is_empty(session, version) -> None:
    session.open(AT)
    assert session.read_sector(version.place("ride")) == bytes(40)


def test_a_sector_of_the_maintenance_key_is_not_written_by_a_purchase(session, version) -> None:
    place = attrs.evolve(version.place("ride"), write="maintenance")
    session.open(AT)
    with pytest.raises(SectorInvalid, match="sector ride: only the maintenance key may write it"):
        session.write_sector(place, bytes(40))


def test_the_card_proves_its_last_transaction_of_each_type(session) -> None:
    session.open(AT)
    debit = session.purchase(100, AT)
    assert session.prove(6, debit.counter).tac == debit.tac
    assert session.prove(2, 0) is not None
    assert session.prove(6, debit.counter + 1) is None
