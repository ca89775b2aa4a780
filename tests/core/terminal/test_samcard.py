from __future__ import annotations

import datetime as dt
import time
from types import SimpleNamespace

import attrs
import pytest

from citycard.card import CardProduct
from citycard.chip import personalise, prepare_blank
from citycard.errors import (
    CardRefused,
    CardRemoved,
    CommandFailed,
    KeyVersionUnknown,
    PowerLoss,
    SamAlgorithmMismatch,
    SamCannotSign,
    SamOutOfOrder,
    SamSerialExhausted,
    SamTerminalInvalid,
    SamUnavailable,
    TerminalInvalid,
)
from citycard.keys.diversify import diversify
from citycard.keys.line import seal
from citycard.pcsc import PcscReader, VpcdSlot
from citycard.psam import TRANSIT_PSAM, Psam, SamIdentity, personalise_sam
from citycard.terminal import CardSam, Factor, InProcessReader, Sam, SoftSam, Terminal, read_batch

AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
NUMBER = "300089000340"
ASN8 = bytes.fromhex("5170070104791381")
AT7 = bytes.fromhex("20260302081530")
QUESTION = (bytes(4), 7, 250, 6, AT7, 1, 0, ASN8)


class Wire:
    """A reader whose connection breaks before or after a command of its choice, like a loose plug."""

    def __init__(self, card) -> None:
        self._reader = InProcessReader(card)
        self.sent: list[str] = []
        self.cut: str = ""
        self.after = False

    def connect(self) -> bytes:
        return self._reader.connect()

    def transmit(self, apdu: bytes) -> bytes:
        head = apdu[:2].hex()
        self.sent.append(head)
        if head == self.cut:
            self.cut = ""
            if self.after:
                self._reader.transmit(apdu)
            raise CardRemoved(during="a loose plug")
        return self._reader.transmit(apdu)


class Unplugged:
    """A card that is not there."""

    def power_on(self) -> bytes:
        raise PowerLoss

    def transmit(self, apdu: bytes) -> bytes:
        raise PowerLoss


@pytest.fixture
def psam(make_psam) -> Psam:
    return make_psam()


@pytest.fixture
def soft(vault) -> SoftSam:
    return SoftSam(NUMBER, vault.sam_keys(), vault.terminal_key(bytes.fromhex(NUMBER)))


@pytest.mark.parametrize("t0", [False, True])
def test_a_sam_in_a_reader_says_what_the_one_in_software_says(make_psam, soft, t0):
    sam = CardSam(InProcessReader(make_psam(t0=t0)))
    assert isinstance(sam, Sam)
    assert sam.terminal == soft.terminal == NUMBER
    for _ in range(2):
        assert sam.init_for_purchase(*QUESTION) == soft.init_for_purchase(*QUESTION)
        assert (sam.check_mac2(bytes(4)), soft.check_mac2(bytes(4))) == (False, False)
    assert (sam.serial, soft.serial) == (2, 2)
    assert sam.record_mac(bytes(120)) == soft.record_mac(bytes(120))
    assert sam.sign_batch(bytes(32)) == soft.sign_batch(bytes(32))


def test_a_tap_goes_with_a_sam_in_a_reader_and_clearing_believes_it(card, psam, vault):
    terminal = Terminal(NUMBER, CardSam(InProcessReader(psam)))
    session = terminal.tap(InProcessReader(card), AT)
    debit = session.purchase(250, AT)
    terminal.record(debit)
    batch = read_batch(terminal.close_batch(AT.date(), AT), verify_with(vault))
    assert (len(batch.records), debit.terminal_serial) == (1, 1)
    assert vault.check_purchase_tac(
        asn8=ASN8,
        key_version=debit.key_version,
        amount_fen=250,
        tti=6,
        terminal6=bytes.fromhex(NUMBER),
        serial=1,
        datetime7=AT7,
        tac4=debit.tac,
    )


def verify_with(vault):
    return lambda number, digest, mac: vault.check_terminal_mac(bytes.fromhex(number), digest, mac)


def test_the_serial_goes_on_in_the_next_life_of_the_terminal(psam):
    CardSam(InProcessReader(psam)).init_for_purchase(*QUESTION)
    again = CardSam(InProcessReader(Psam.from_image(psam.image())))
    assert again.init_for_purchase(*QUESTION)[0] == 2


def test_a_card_that_is_not_genuine_is_found_out(card, psam, monkeypatch):
    terminal = Terminal(NUMBER, CardSam(InProcessReader(psam)))
    reader = InProcessReader(card)
    session = terminal.tap(reader, AT)
    honest = reader.transmit
    monkeypatch.setattr(
        session._card,
        "_transmit",
        lambda apdu: honest(apdu)[:4] + b"\0\0\0\0\x90\x00" if apdu[:2] == b"\x80\x54" else honest(apdu),
    )
    with pytest.raises(CardRefused, match="not-genuine"):
        session.purchase(100, AT)


def test_what_the_sam_refuses_has_the_same_name_as_in_software(psam):
    sam = CardSam(InProcessReader(psam))
    with pytest.raises(KeyVersionUnknown):
        sam.init_for_purchase(bytes(4), 7, 250, 6, AT7, 9, 0, ASN8)
    with pytest.raises(SamAlgorithmMismatch):
        sam.init_for_purchase(bytes(4), 7, 250, 6, AT7, 1, 4, ASN8)
    with pytest.raises(SamOutOfOrder):
        sam.check_mac2(bytes(4))
    assert sam.serial == 0


def test_a_sam_that_has_counted_to_the_end_says_so(psam):
    sam = CardSam(InProcessReader(psam))
    psam.eeprom.commit([(psam.powered.directory.files[0x18].body, b"\xff" * 4)])
    with pytest.raises(SamSerialExhausted):
        sam.init_for_purchase(*QUESTION)


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_connection_is_made_again_and_at_most_a_serial_is_skipped(psam, after):
    wire = Wire(psam)
    sam = CardSam(wire)
    wire.cut, wire.after = "8070", after
    serial, _ = sam.init_for_purchase(*QUESTION)
    assert serial == (2 if after else 1)
    wire.cut = "80f8"
    assert len(sam.record_mac(b"record")) == 4


def test_a_connection_lost_before_mac2_keeps_the_debit_for_clearing(card, psam):
    wire = Wire(psam)
    terminal = Terminal(NUMBER, CardSam(wire))
    session = terminal.tap(InProcessReader(card), AT)
    wire.cut = "8072"
    debit = session.purchase(250, AT)
    assert debit.tac != bytes(4)
    terminal.record(debit)
    assert len(terminal.records) == 1
    assert terminal.tap(InProcessReader(card), AT).purchase(250, AT).balance_after_fen == 9_500


def test_a_mac2_is_never_checked_against_another_purchase(psam):
    wire = Wire(psam)
    sam = CardSam(wire)
    sam.init_for_purchase(*QUESTION)
    wire.cut = "00b0"
    assert sam.serial == 1  # the SAM was reset on the way: its purchase is gone
    with pytest.raises(SamOutOfOrder):
        sam.check_mac2(bytes(4))


def test_a_sam_that_stays_away_is_said(psam):
    wire = Wire(psam)
    sam = CardSam(wire)
    wire._reader = InProcessReader(Unplugged())
    with pytest.raises(SamUnavailable, match="SAM of terminal 300089000340 does not work"):
        sam.init_for_purchase(*QUESTION)


def test_the_sam_of_another_terminal_is_not_taken_for_this_one(psam, make_psam):
    wire = Wire(psam)
    sam = CardSam(wire)
    wire._reader = InProcessReader(make_psam("300089000341"))
    wire.cut = "8070"
    with pytest.raises(SamUnavailable, match="the SAM of terminal 300089000341 is in its reader"):
        sam.init_for_purchase(*QUESTION)


def test_a_card_that_is_no_sam_is_refused(card):
    with pytest.raises(SamUnavailable, match="it answered 6A82"):
        CardSam(InProcessReader(card))


def test_a_sam_without_a_number_is_refused():
    sam = Psam.blank()
    place = sam.structure.root.files[0x16].body
    sam.eeprom.commit([(place, b"\xff" * 6)])
    with pytest.raises(SamTerminalInvalid):
        CardSam(InProcessReader(sam))


def test_a_psam_without_a_signature_key_lets_the_terminal_sign_in_software(make_psam, soft, vault):
    psam = make_psam(signs=False)
    with pytest.raises(SamCannotSign):
        CardSam(InProcessReader(psam)).sign_batch(bytes(32))
    sam = CardSam(InProcessReader(psam), terminal_key=vault.terminal_key(bytes.fromhex(NUMBER)))
    assert sam.sign_batch(bytes(32)) == soft.sign_batch(bytes(32))
    assert sam.record_mac(bytes(9)) == soft.record_mac(bytes(9))


def test_upper_factors_and_the_fid_are_sent_as_configured(psam):
    wire = Wire(psam)
    issuer = bytes.fromhex("01015840FFFFFFFF")
    with pytest.raises(KeyVersionUnknown):  # this SAM has no key of two levels
        CardSam(wire, application=b"\x80\x11", upper=[issuer]).init_for_purchase(*QUESTION)
    assert wire.sent == ["00a4", "00b0", "00a4", "8070"]


@pytest.fixture(params=[1, 2])
def shared(request, vault, version):
    """A PSAM with the root's purchase key above one or two more factors, and a way to make issuers' cards.

    The chain is derived here by hand: city (where there are three levels), issuer, then the card.
    """
    root, master = bytes(range(100, 116)), bytes(range(16))
    psam = Psam.blank(TRANSIT_PSAM)
    header = bytes((0x42 + 0x20 * (request.param - 1), 1, 0))
    identity = SamIdentity(
        number=NUMBER.zfill(20),
        terminal=NUMBER,
        issuer="01015840FFFFFFFF",
        receiver="01015840FFFFFFFF",
        start=dt.date(2026, 1, 1),
        expiry=dt.date(2036, 12, 31),
    )
    personalise_sam(InProcessReader(psam), identity, [seal(master, header + root)], master)

    def card(issuer: str, asn: str):
        above = root
        if request.param > 1:
            above = diversify(above, bytes.fromhex(issuer[4:8] + "ff" + "00" * 5))
        key = diversify(diversify(above, bytes.fromhex(issuer)), bytes.fromhex(asn)[-8:])
        chip = prepare_blank(version)
        personalise(
            chip,
            asn=asn,
            issuer=issuer,
            product=CardProduct(name="adult", kind=1),
            keys=attrs.evolve(vault.card_keys(bytes.fromhex(asn)[-8:]), purchase=key),
            start=dt.date(2026, 1, 1),
            expiry=dt.date(2036, 1, 1),
        )
        return chip

    return psam, card, [Factor.ISSUER, Factor.CITY][: request.param]


def test_one_sam_serves_cards_of_several_issuers_by_what_they_say_of_themselves(shared, host):
    psam, card, upper = shared
    terminal = Terminal(
        NUMBER, CardSam(InProcessReader(psam), upper=upper, terminal_key=bytes(16)), host=host
    )
    for issuer, asn in (
        ("01015840FFFFFFFF", "03105170070104791381"),
        ("01011000FFFFFFFF", "03105170070104791382"),
    ):
        reader = InProcessReader(card(issuer, asn))
        terminal.tap(reader, AT).load(1_000, AT)
        debit = terminal.tap(reader, AT).purchase(250, AT)
        terminal.record(debit)
        assert (debit.issuer, debit.balance_after_fen) == (issuer, 750)


def test_a_factor_fixed_for_one_issuer_serves_no_other(shared, host):
    psam, card, upper = shared
    home = bytes.fromhex("01015840FFFFFFFF")
    fixed = [home, *([bytes.fromhex("5840FF0000000000")] if len(upper) > 1 else [])]
    terminal = Terminal(
        NUMBER, CardSam(InProcessReader(psam), upper=fixed, terminal_key=bytes(16)), host=host
    )
    for issuer, asn, done in (
        ("01015840FFFFFFFF", "03105170070104791381", True),
        ("01011000FFFFFFFF", "03105170070104791382", False),
    ):
        reader = InProcessReader(card(issuer, asn))
        terminal.tap(reader, AT).load(1_000, AT)
        session = terminal.tap(reader, AT)
        if done:
            terminal.record(session.purchase(250, AT))
        else:
            with pytest.raises(CommandFailed, match="9302"):
                session.purchase(250, AT)


def test_a_factor_of_the_card_needs_a_card(psam):
    with pytest.raises(TerminalInvalid, match="wants the issuer of the card"):
        CardSam(InProcessReader(psam), upper=[Factor.ISSUER]).init_for_purchase(*QUESTION)


@pytest.fixture
def slots(pcscd, card, make_psam):
    """The card in one reader of the real service and a T=0 SAM in another."""
    psam = make_psam(t0=True)
    first, _, third, *_ = pcscd.slots
    with (
        VpcdSlot(card, port=first.port) as left,
        VpcdSlot(psam, port=third.port) as right,
        PcscReader(first.reader) as reader,
        PcscReader(third.reader) as sam_reader,
    ):
        reader.wait_for_card(10)
        sam_reader.wait_for_card(10)
        yield SimpleNamespace(reader=reader, sam_reader=sam_reader, card=left, sam=right)
    time.sleep(0.5)  # the service notices an empty slot at its next look


def test_a_tap_goes_through_two_real_readers_and_survives_a_sam_pulled_out(slots, vault):
    terminal = Terminal(NUMBER, CardSam(slots.sam_reader))
    debit = terminal.tap(slots.reader, AT).purchase(250, AT)
    terminal.record(debit)
    slots.sam.remove()
    slots.sam.insert()
    slots.sam_reader.wait_for_card(10)
    again = terminal.tap(slots.reader, AT).purchase(250, AT)
    terminal.record(again)
    assert (debit.terminal_serial, again.terminal_serial, again.balance_after_fen) == (1, 2, 9_500)
    assert len(read_batch(terminal.close_batch(AT.date(), AT), verify_with(vault)).records) == 2
