"""Cards that no terminal serves, each made for real: blocked by its own commands, or left unfinished."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from citycard.card.files import TRANSIT_PROFILE
from citycard.chip import Chip, prepare_blank
from citycard.errors import CardRefused
from citycard.terminal import Acceptance, InProcessReader

AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
ASN8 = bytes.fromhex("5170070104791381")
AID = "00A4040008A00000063201010500"
NO_KEYS = bytes(16)


def des(key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    whole = key * 3 if len(key) == 8 else key + key[:8]
    mode = modes.ECB() if iv is None else modes.CBC(iv)
    return Cipher(TripleDES(whole), mode).encryptor().update(data)


def line_mac(key: bytes, command: bytes, challenge: bytes) -> bytes:
    blocks = command + b"\x80" + bytes(7 - len(command) % 8)
    chain = des(key[:8], blocks, challenge + bytes(4))[-8:]
    back = Cipher(TripleDES(key[8:] * 3), modes.ECB()).decryptor().update(chain)
    return des(key[:8], back)[:4]


def say(card: Chip, apdu: str) -> bytes:
    return card.transmit(bytes.fromhex(apdu))


def block(card: Chip, vault, command: str) -> Chip:
    """Send APPLICATION BLOCK or CARD BLOCK with its MAC under the card's maintenance key."""
    card.power_on()
    say(card, AID)
    challenge = say(card, "0084000004")[:4]
    mac = line_mac(vault.card_keys(ASN8).maintenance, bytes.fromhex(command), challenge)
    assert card.transmit(bytes.fromhex(command) + mac) == b"\x90\x00"
    return card


def reason(terminal, card, *, amount_fen: int = 100) -> str:
    with pytest.raises(CardRefused) as refused:
        terminal.tap(InProcessReader(card), AT).purchase(amount_fen, AT)
    return refused.value.data["reason"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [("841E000004", "blocked"), ("841E000104", "locked"), ("8416000004", "card-blocked")],
)
def test_a_blocked_card_says_how_it_is_blocked(card, vault, make_terminal, command, expected):
    assert reason(make_terminal(), block(card, vault, command)) == expected


def test_a_card_of_another_city_that_is_not_interoperable_is_refused(issue, vault, make_terminal):
    card = issue(issuer="01011000FFFFFFFF")
    card.power_on()
    say(card, AID)
    challenge = say(card, "0084000004")[:4]
    command = bytes.fromhex("04D69708 06 0000")  # EF 17, bytes 8 and 9: local only
    assert (
        card.transmit(command + line_mac(vault.card_keys(ASN8).maintenance, command, challenge))
        == b"\x90\x00"
    )
    terminal = make_terminal(acceptance=Acceptance(home_issuer="01015840"))
    assert reason(terminal, card) == "local-only"
    assert make_terminal().tap(InProcessReader(card), AT).view.issuer == "01011000FFFFFFFF"


def test_an_expired_card_is_refused(issue, make_terminal):
    assert reason(make_terminal(), issue(expiry=dt.date(2026, 3, 1))) == "expired"


def test_a_blank_with_its_transport_keys_is_unfinished(version, make_terminal):
    assert reason(make_terminal(), prepare_blank(version)) == "unfinished"


def test_a_card_whose_files_are_written_but_whose_keys_are_not_is_unfinished(version, card, make_terminal):
    card.power_on()
    say(card, AID)
    first, other = say(card, "00B095001E")[:-2], say(card, "00B097003C")[:-2]
    half = prepare_blank(version)
    half.power_on()
    say(half, AID)
    say_authenticated(half)
    for head, content in ((bytes.fromhex("04D6950022"), first), (bytes.fromhex("04D6970040"), other)):
        challenge = say(half, "0084000004")[:4]
        command = head + content
        assert half.transmit(command + line_mac(b"\xff" * 16, command, challenge)) == b"\x90\x00"
    assert reason(make_terminal(), half, amount_fen=0) == "unfinished"


def say_authenticated(card: Chip) -> None:
    challenge = say(card, "0084000008")[:8]
    assert card.transmit(bytes.fromhex("0082000008") + des(b"\xff" * 16, challenge)) == b"\x90\x00"


def bare(*files: str) -> Chip:
    """Make a card with a purse application of the given files (CREATE FILE, hexadecimal) and no keys."""
    card = Chip.blank()
    card.power_on()
    name = "A000000632010105"
    for apdu in (f"80E03F01 10 38 0200 F0F0 95 FFFF {name}", AID, *files):
        assert say(card, apdu)[-2:] == b"\x90\x00", apdu
    return card


EF15 = "80E00015 07 28 001E F0F0 FFFF"
EF17 = "80E00017 07 28 003C F0F0 FFFF"
PURSE = "80E00002 07 2F 0208 F000 FF18"
WRITE_15 = "00D69500 1E 01015840FFFFFFFF 0201 03105170070104791381 20260101 20360101 0000"
WRITE_17 = "00D69700 0C 00000156 5840 5840 0001 01 00"


@pytest.mark.parametrize(
    "files",
    [
        (),  # no EF 15
        (EF15,),  # EF 15 empty, no EF 17
        (EF15, EF17, PURSE, WRITE_17),  # EF 15 empty
        (EF15, EF17, PURSE, WRITE_15),  # EF 17 empty
        (EF15, EF17, WRITE_15, WRITE_17),  # no purse
        (EF15, EF17, PURSE, WRITE_15, WRITE_17),  # a purse without keys
    ],
)
def test_a_card_that_lacks_a_file_its_content_or_its_keys_is_unfinished(files, make_terminal):
    assert reason(make_terminal(), bare(*files), amount_fen=0) == "unfinished"


def test_a_card_of_another_city_may_keep_its_key_elsewhere(make_terminal):
    card = bare(EF15, EF17, PURSE, WRITE_15, WRITE_17)
    terminal = make_terminal(acceptance=Acceptance(home_issuer="01011000"))
    assert reason(terminal, card, amount_fen=0) == "key"


def test_a_copy_of_a_card_is_refused_once_the_card_was_here(card, make_terminal):
    terminal = make_terminal()
    copy = card.clone()
    for _ in range(2):
        terminal.record(terminal.tap(InProcessReader(card), AT).purchase(100, AT))
    assert reason(terminal, copy) == "cloned"
    assert terminal.tap(InProcessReader(card), AT).purchase(100, AT).balance_after_fen == 9_700


def test_the_copy_may_come_first_and_then_the_card_is_the_one_refused(card, make_terminal):
    # Offline nobody can tell which is which: the one whose counter is behind is stopped.
    terminal = make_terminal()
    copy = card.clone()
    terminal.record(terminal.tap(InProcessReader(copy), AT).purchase(100, AT))
    assert reason(terminal, card) == "cloned"


def test_a_torn_debit_that_turned_out_done_counts_too(card, make_terminal):
    terminal = make_terminal()
    copy = card.clone()

    class Hasty(InProcessReader):
        def transmit(self, apdu: bytes) -> bytes:
            answer = super().transmit(apdu)
            if apdu[:2] == b"\x80\x54":
                self._card.power_off()
                return super().transmit(apdu)
            return answer

    with pytest.raises(Exception, match="left the field"):
        terminal.tap(Hasty(card), AT).purchase(100, AT)
    terminal.tap(InProcessReader(card), AT)
    assert reason(terminal, copy) == "cloned"


def test_a_log_that_is_ahead_of_the_counter_betrays_a_purse_put_back(card, make_terminal):
    card.power_on()
    say(card, AID)
    before = bytes(card.eeprom.cells)
    spender = make_terminal()
    spender.record(spender.tap(InProcessReader(card), AT).purchase(100, AT))
    purse = card.structure.names[TRANSIT_PROFILE.aid].files[2]
    # Put only the purse back, as somebody would who can write the memory but forgot the log.
    card.eeprom.commit([(purse.body, before[purse.body : purse.body + purse.size])])
    elsewhere = make_terminal("300089000777", acceptance=Acceptance(reads_log=True))
    assert reason(elsewhere, card) == "cloned"
    honest = make_terminal("300089000777", acceptance=Acceptance())
    assert honest.tap(InProcessReader(card), AT).purchase(100, AT).balance_after_fen == 9_900


def test_a_card_with_a_true_log_is_served_by_a_terminal_that_reads_it(card, make_terminal):
    terminal = make_terminal(acceptance=Acceptance(reads_log=True))
    for left in (9_900, 9_800):
        debit = terminal.tap(InProcessReader(card), AT).purchase(100, AT)
        terminal.record(debit)
        assert debit.balance_after_fen == left


def test_profiles_that_log_the_counter_before_the_debit_are_read_right(vault):
    from citycard.terminal.identity import newest_logged

    class Log:
        def read_record(self, sfi: int, number: int) -> bytes:
            lines = [
                "0009000000000000FA02300089000340202603020815 30",
                "0007000000000000FA06300089000340202603020815 30",
            ]
            return bytes.fromhex(lines[number - 1])

    before = attrs.evolve(TRANSIT_PROFILE, log_after_increment=False)
    assert (newest_logged(Log(), TRANSIT_PROFILE), newest_logged(Log(), before)) == (7, 8)
