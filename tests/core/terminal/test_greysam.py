"""The pump's SAM: software and PSAM do the same, and both remember what they locked."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.errors import (
    GreyLockUnknown,
    JournalDamaged,
    KeyVersionUnknown,
    SamOutOfOrder,
    SamSerialExhausted,
    SamUnavailable,
)
from citycard.keys import greylock
from citycard.psam import TRANSIT_PSAM, Psam, SamIdentity, personalise_sam
from citycard.terminal import CardSam, InProcessReader, SoftSam
from citycard.terminal.greylock import GreyLockSession
from citycard.terminal.greysam import CardGreySam, GreySam, SoftGreySam

NUMBER = "300089000340"
NUMBER6 = bytes.fromhex(NUMBER)
AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
AT7 = bytes.fromhex("20260302081530")
ASN8 = bytes.fromhex("5170070104791381")
RND = bytes.fromhex("01020304")


def soft(vault, **settings) -> SoftGreySam:
    keys = vault.sam_keys()
    sam = SoftSam(NUMBER, keys, vault.terminal_key(NUMBER6), serial=settings.pop("serial", 0))
    return SoftGreySam(sam, keys, **settings)


@pytest.fixture
def psam(vault) -> Psam:
    sam, master = Psam.blank(TRANSIT_PSAM), bytes(range(16))
    keys = [vault.export_under(master, "purchase", 1, header=bytes((usage, 1, 0))) for usage in (0x22, 0x2D)]
    identity = SamIdentity(
        number=NUMBER.zfill(20),
        terminal=NUMBER,
        issuer="01015840FFFFFFFF",
        receiver="01015840FFFFFFFF",
        start=dt.date(2026, 1, 1),
        expiry=dt.date(2036, 12, 31),
    )
    personalise_sam(InProcessReader(sam), identity, keys, master)
    return sam


def hard(psam) -> CardGreySam:
    reader = InProcessReader(psam)
    return CardGreySam(reader, CardSam(reader, terminal_key=bytes(16)).terminal)


@pytest.fixture(params=["soft", "hard"])
def make(request, vault, psam, tmp_path):
    """Return what makes a SAM, and makes it again as after a power cut."""
    if request.param == "hard":
        return lambda: hard(psam)
    return lambda: soft(vault, path=tmp_path / "locks", serial=100)


def lock(sam: GreySam, vault, atc=7, balance_fen=900):
    """Lock a card that is only its key; return its session key."""
    serial, random, mac1 = sam.init_for_grey_lock(RND, atc, balance_fen, 0x92, AT7, 1, 0, ASN8)
    key = vault.card_keys(ASN8).purchase
    session = greylock.grey_session_key(key, RND, atc, serial, random)
    assert mac1 == greylock.grey_lock_mac1(session, 0x92, NUMBER6, AT7)
    return session, greylock.grey_lock_mac2(session, balance_fen, atc, 0x92, NUMBER6)


def test_a_certified_lock_can_be_debited_also_after_a_power_cut(make, vault):
    sam = make()
    session, mac2 = lock(sam, vault)
    assert sam.certify_grey_lock(mac2)
    first, code = sam.gmac(0x94, ASN8, 7, 500)
    assert code == greylock.gmac(session, 500)
    serial, code = make().gmac(0x94, ASN8, 7, 501)
    assert code == greylock.gmac(session, 501)
    assert 0 not in {first, serial}


def test_a_card_that_is_not_known_to_be_locked_cannot_be_debited(make, vault):
    sam = make()
    lock(sam, vault)
    assert not sam.certify_grey_lock(bytes(4))
    with pytest.raises(SamOutOfOrder):
        sam.certify_grey_lock(bytes(4))
    with pytest.raises(GreyLockUnknown):
        sam.gmac(0x94, ASN8, 7, 1)


@pytest.mark.parametrize(("atc", "amount", "asn8"), [(8, 1, ASN8), (7, 901, ASN8), (7, 1, bytes(8))])
def test_another_lock_or_more_than_there_was_is_refused(make, vault, atc, amount, asn8):
    sam = make()
    _, mac2 = lock(sam, vault)
    sam.certify_grey_lock(mac2)
    with pytest.raises(GreyLockUnknown):
        sam.gmac(0x94, asn8, atc, amount)


def test_a_key_version_that_the_sam_has_not_is_refused(make):
    with pytest.raises(KeyVersionUnknown):
        make().init_for_grey_lock(RND, 7, 900, 0x92, AT7, 9, 0, ASN8)


def test_a_real_card_is_sold_fuel_with_either_sam(make, card):
    session = GreyLockSession(InProcessReader(card), make())
    session.open(AT)
    session.grey_lock(AT)
    session = GreyLockSession(InProcessReader(card), make())
    session.open(AT)
    debit = session.unlock(2_500, AT)
    assert debit.balance_after_fen == 7_500
    session.settle()
    assert session.open(AT).balance_fen == 7_500


def test_the_file_of_a_software_sam_holds_no_key_and_one_lock_per_card(vault, tmp_path):
    path = tmp_path / "locks"
    sam = soft(vault, path=path)
    session, mac2 = lock(sam, vault)
    sam.certify_grey_lock(mac2)
    assert session.hex() not in path.read_text()
    _, mac2 = lock(sam, vault, atc=8)
    sam.certify_grey_lock(mac2)
    assert len(path.read_text().splitlines()) == 1
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(JournalDamaged, match="2"):
        soft(vault, path=path)


def test_the_serial_of_the_terminal_is_counted_on_and_ends(vault):
    sam = soft(vault, serial=41)
    assert sam.init_for_grey_lock(RND, 7, 900, 0x92, AT7, 1, 0, ASN8)[0] == 42
    with pytest.raises(SamSerialExhausted):
        soft(vault, serial=0xFFFFFFFF).init_for_grey_lock(RND, 7, 900, 0x92, AT7, 1, 0, ASN8)


def test_a_psam_whose_application_is_not_selected_is_told_apart(psam):
    sam = hard(psam)
    psam.transmit(bytes.fromhex("00A40000023F00"))
    with pytest.raises(SamUnavailable, match="INIT_SAM_GREY_LOCK"):
        sam.init_for_grey_lock(RND, 7, 900, 0x92, AT7, 1, 0, ASN8)
