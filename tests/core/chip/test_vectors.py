"""Transactions of real cards, repeated: same keys, same randoms, same bytes (published by third parties).

VA to VF are papers and scripts in the folders docs/ and examples/ of a public FMCOS driver. Whole issuing
scripts with these numbers are played in test_issuing.py.
"""

from __future__ import annotations

import pytest

from citycard.chip import FMCOS, T_UNION, Chip
from citycard.keys import purse


def script(chip, *commands):
    """Send commands and return the data of the last; all must succeed."""
    for command in commands:
        answer = chip.transmit(bytes.fromhex(command))
        assert answer[-2:].hex() == "9000", command
    return answer[:-2].hex().upper()


ADF = "80E03F0110380800F0F095FFFFA000000632010105"
SELECT_ADF = "00A4040008A000000632010105"
KEY_FILE = "80E00000073F018F95F0FFFF"


def purse_card(dice, dpk, dlk, dtk, algorithm="00", profile=T_UNION):
    """Issue a card with these keys by hand, as FMCOS scripts do, with nothing but a purse and a log."""
    chip = Chip.blank(profile, random=dice)
    chip.power_on()
    script(
        chip,
        ADF,
        SELECT_ADF,
        KEY_FILE,
        f"80D4010015 3EF0F001{algorithm}{dpk}".replace(" ", ""),
        f"80D4010015 3FF0F001{algorithm}{dlk}".replace(" ", ""),
        f"80D4010015 34F0F001{algorithm}{dtk}".replace(" ", ""),
        "80E00018072E0A17F0EFFFFF",
        "80E00002072F0208F000FF18",
    )
    return chip


def test_a_real_card_answers_load_and_purchase_so(dice):
    # VA: an FM1208's log of 2016-12-16, docs/"CPU card e-wallet circle consumption debugging record_fmcos
    # E-wallet.pdf", loads 1 and 2 (SESLK, MAC1, MAC2, TAC) and the purchase of 13:46.
    key = "00112233445566778899AABBCCDDEEFF"
    chip = purse_card(dice("E0B84748", "C903814D", "584633C9"), key, key, key)
    init = "8050000 20B 00 00002000 001122334455 10".replace(" ", "")
    assert script(chip, init) == "0000000000000100E0B84748EA411F90"
    assert script(chip, init) == "0000000000000100C903814D03976C22"
    assert script(chip, "805200000B 20161216105800 8AFA5718 04".replace(" ", "")) == "FA00066D"
    init = "805001020B 00 00000001 001122334455 0F".replace(" ", "")
    assert script(chip, init) == "0000200000000000000100584633C9"
    debit = "805401000F 00000000 20161216134600 D45737C5 08".replace(" ", "")
    assert script(chip, debit) == "8AF270DC66B54A6B"
    assert script(chip, "805C000204") == "00001FFF"


def test_the_algorithm_byte_is_only_echoed_and_the_log_keeps_the_counter_after(dice):
    # VB: a card's log of 2024-04-11, docs/"Set up a simple test PBOC payment environment on FMCOS CPU.pdf".
    tail = "1122334455667788"
    chip = purse_card(dice("4E066548"), "3E" * 8 + tail, "3F" * 8 + tail, "34" * 8 + tail, "01")
    answer = script(chip, "805000020B 00 00000010 666666666666 10".replace(" ", ""))
    assert answer == "00000000000001014E0665480D39ADBB"
    assert script(chip, "805200000B 20240411212121 097E98FE 04".replace(" ", "")) == "A802863E"
    assert script(chip, "00B201C417") == "0001000000000000100266666666666620240411212121"


def test_line_protected_commands_of_a_real_card(dice):
    # VE: examples/test_mac.py, the first two asserts; the same bytes are in examples/test_compro.py.
    chip = Chip.blank(FMCOS, random=dice("44A47DEB", "D0FE4FB9"))
    chip.power_on()
    script(
        chip,
        ADF,
        SELECT_ADF,
        KEY_FILE,
        "80D401001536F0F0FF33" + "FF" * 16,
        "80E0000507A80010F0F0FF7F",
        "00A40000020005",
        "0084000004",
        "04D600001411223344556677889900AABBCCDDEEFFF2F62231",
        "0084000004",
    )
    content = "11223344556677889900AABBCCDDEEFF"
    assert script(chip, "04B0000004F09C8A1910") == content + "8D318577"


def test_public_data_is_written_with_a_mac_of_a_real_card(dice):
    # VE: examples/test_mac.py, the assert of 04D6950022.
    chip = Chip.blank(FMCOS, random=dice("A3BBCFC8"))
    chip.power_on()
    data = "0001220000 01FFFF0101000022000000000000062016 0101205012310000".replace(" ", "")
    script(
        chip,
        ADF,
        SELECT_ADF,
        KEY_FILE,
        "80D401001536F0F0FF33" + "36" * 16,
        "80E0001507A8001EF0F0FFFF",
        "0084000004",
        "04D6950022" + data + "96E32EF1",
    )
    assert script(chip, "00B0950000") == data


def test_keys_travel_enciphered_under_the_master_key(dice):
    # VF: docs/"FMCOS uses ciphertext with MAC to add_modify keys.pdf", its three commands.
    chip = Chip.blank(FMCOS, random=dice("4C45BAB9", "EF364818", "C0B3549C"))
    chip.power_on()
    script(
        chip,
        "80E00000073F005001F0FFFF",
        "80D401000D39F0F0AA33" + "FF" * 8,
        "80D401010D39F0F0AA33" + "00" * 8,
        "0084000004",
        "84D40102147C87BC23140021B3AFEA67E6359DDCFED7C943F6",
        "0084000004",
        "84D43901147C87BC23140021B3AFEA67E6359DDCFE9095E4E1",
        "0084000004",
        "84D4F902147E65DE142F66CA41AFEA67E6359DDCFE012EF5F5",
    )


@pytest.mark.parametrize(("challenge", "size"), [("BB83BFF3", "04"), ("BB83BFF300000000", "08")])
def test_external_authentication_of_the_manual(dice, challenge, size):
    # FMCOS 2.0 user manual, clause 7.1, the example.
    chip = Chip.blank(FMCOS, random=dice(challenge))
    chip.power_on()
    script(
        chip,
        "80E00000073F005001F0FFFF",
        "80D401000D39F0F001330102030405060708",
        f"00840000{size}",
        "008200000874B0047DD681D96C",
    )


def test_internal_authentication_of_the_manual(dice):
    # FMCOS 2.0 user manual, clause 7.3, the examples of P1 00 and 02.
    chip = Chip.blank(FMCOS, random=dice())
    chip.power_on()
    for kind in ("30", "31", "32"):
        if kind == "30":
            script(chip, "80E00000073F005001F0FFFF")
        script(chip, f"80D401000D{kind}F0F001001122334455667788")
    assert script(chip, "0088000008010203040506070808") == "178F59F8578E0D3F"
    assert script(chip, "0088010008178F59F8578E0D3F") == "0102030405060708"
    assert script(chip, "00880200080102030405060708") == "A82A8CEB"


def test_the_answer_to_select_is_that_of_a_transit_card(desk):
    # nfcim/nfsee, tests/reader-mock.js, the T-Union card's answer to SELECT.
    answer = desk.ok("00A4040008A00000063201010500")
    assert answer.hex().upper() == (
        "6F318408A000000632010105A5259F0801029F0C1E"
        "01011000FFFFFFFF02010310517007010479138120190718204012310000"
    )


@pytest.mark.parametrize(
    "recorded",
    [
        "042D 000000 000001F4 09 300089000340 20241229 141740",  # TUM, card_data_format.md
        "0018 000000 00000111 09 310001050306 20160109 164459",  # BUSCARD, a City Union card
    ],
)
def test_the_log_lies_as_recorded_cards_gave_it(desk, recorded):
    record = bytes.fromhex(recorded)
    counter, amount, terminal, when = record[:2], record[5:9], record[10:16], record[16:]
    desk.load(100_000)
    for _ in range(int.from_bytes(counter, "big") - 1):
        assert desk.purchase(0)[-2:] == b"\x90\x00"
    answer = desk.ok(bytes.fromhex("805003020B01") + amount + terminal)
    number, amount_fen = int.from_bytes(answer[4:6], "big"), int.from_bytes(amount, "big")
    session = purse.purchase_session_key(desk.key, answer[11:15], number, 1)
    mac1 = purse.purchase_mac1(session, amount_fen, 9, terminal, when)
    desk.ok(b"\x80\x54\x01\x00\x0f" + bytes((0, 0, 0, 1)) + when + mac1)
    assert desk.records(0x18)[0] == record
