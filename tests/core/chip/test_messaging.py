"""Secure messaging: MACs and cipher text on reads and writes, with short and long challenges."""

from __future__ import annotations

import attrs
import pytest

from citycard.chip import FMCOS, Chip
from citycard.errors import AlgorithmMissing
from citycard.keys.cipher import Algorithm, encryptor
from citycard.keys.line import SM4_LINE, TDES_LINE, line_mac, seal, unseal

KEY = bytes.fromhex("36363636363636363737373737373737")
TYPES = {"plain": 0x00, "mac": 0x80, "cipher": 0xC0}


def has_sm4():
    try:
        encryptor(bytes(16), Algorithm.SM4)
    except AlgorithmMissing:
        return False
    return True


class Line:
    """A client that protects what it sends and checks what it gets."""

    def __init__(self, desk, suite=TDES_LINE, challenge=4):
        self.desk, self.suite, self.challenge = desk, suite, challenge

    def write(self, head, data, form):
        if form == "plain":
            return self.desk.send("00" + head + f"{len(data):02X}" + data.hex())
        sent = seal(KEY, data, self.suite) if form == "cipher" else data
        return self._send(head, sent)[0]

    def read(self, head, form, le="00"):
        if form == "plain":
            return self.desk.ok("00" + head + le)
        answer, random = self._send(head, b"", le)
        assert answer[-2:].hex() == "9000"
        sent, mac = answer[:-6], answer[-6:-2]
        assert line_mac(KEY, sent, random, self.suite) == mac
        return unseal(KEY, sent, self.suite) if form == "cipher" else sent

    def _send(self, head, data, le=""):
        random = self.desk.ok(f"00840000{self.challenge:02X}")
        command = bytes.fromhex("04" + head) + bytes((len(data) + 4,)) + data
        return self.desk.send(
            command + line_mac(KEY, command, random, self.suite) + bytes.fromhex(le)
        ), random


@pytest.fixture(params=[4, 8], ids=["4-byte challenge", "8-byte challenge"])
def line(request, desk_of, dice):
    return Line(opened(desk_of, dice, FMCOS), challenge=request.param)


def opened(desk_of, dice, profile):
    desk = desk_of(Chip.blank(profile, random=dice()))
    desk.chip.power_on()
    desk.ok("80E03F010D380800F0F095FFFF5041592E31")
    desk.ok("00A40000023F01")
    desk.ok("80E00000073F018F95F0FFFF")
    desk.ok("80D4010015" + "36F0F0FF33" + KEY.hex())
    return desk


@pytest.mark.parametrize("form", TYPES)
@pytest.mark.parametrize("size", [1, 6, 7, 8, 15, 16, 40])
def test_a_binary_file_is_written_and_read_in_every_form(line, form, size):
    data = bytes(range(size))
    line.desk.ok(f"80E0000507{0x28 | TYPES[form]:02X}0040F0F0FF7F")  # 7F: reads are protected too
    assert line.write("D68500", data, form).hex() == "9000"
    assert line.read("B08500", form, f"{size:02X}") == data
    assert line.read("B08500", form)[:size] == data
    assert line.write("D68503", data, form).hex() == "9000"
    assert line.read("B08503", form, f"{size:02X}") == data


@pytest.mark.parametrize("form", TYPES)
@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [(0x2A, b"1" * 9, b"2" * 9), (0x2E, b"1" * 9, b"2" * 9), (0x2C, b"\x11\x03abc", b"\x12\x04abcd")],
    ids=["fixed", "cyclic", "variable"],
)
def test_records_are_appended_updated_and_read_in_every_form(line, form, kind, first, second):
    shape = "0040" if kind == 0x2C else "0309"
    line.desk.ok(f"80E0000607{kind | TYPES[form]:02X}{shape}F0F0FF7F")
    for record in (first, second):
        assert line.write("E20034", record, form).hex() == "9000"
    newest, oldest = (2, 1) if kind != 0x2E else (1, 2)
    assert line.read(f"B2{oldest:02X}34", form) == first
    assert line.read(f"B2{newest:02X}34", form) == second
    assert line.read("B20135", form) == (second + first if kind == 0x2E else first + second)
    changed = first[:2] + bytes(len(first) - 2)
    assert line.write("DC0033" if kind == 0x2E else "DC0134", changed, form).hex() == "9000"
    assert line.read("B20134", form) == changed


@pytest.mark.parametrize(("form", "others"), [("plain", ["mac"]), ("mac", ["plain"]), ("cipher", ["plain"])])
def test_a_class_byte_that_does_not_fit_the_file_is_refused(line, form, others):
    line.desk.ok(f"80E0000507{0x28 | TYPES[form]:02X}0040F0F0FF7F")
    for other in others:
        assert line.write("D68500", b"x", other).hex() == "6900"


def test_a_file_may_protect_its_writes_and_leave_its_reads_open(line):
    line.desk.ok("80E0000507A80004F0F0FFFF")
    assert line.write("D68500", b"abcd", "mac").hex() == "9000"
    assert line.read("B08500", "plain") == b"abcd"
    assert line.desk.status("04B0850004AABBCCDD04") == "6900"


def test_plain_text_where_cipher_text_is_due_is_refused(line):
    line.desk.ok("80E0000507E80008F0F0FFFF")
    assert line.write("D68500", bytes(8), "mac").hex() == "6a80"
    assert line.write("D68500", b"secret!", "cipher").hex() == "9000"


def test_each_file_names_its_keys(desk_of, dice):
    # Control byte: b4 b3 the key of reads, b2 b1 of writes; 11 is key 00, 10 key 01, 01 key 02, 00 key 03.
    desk = opened(desk_of, dice, FMCOS)
    keys = [KEY] + [bytes((index,)) * 16 for index in (1, 2, 3)]
    for index in (1, 2, 3):
        desk.ok(f"80D401{index:02X}15" + "36F0F0FF33" + keys[index].hex())
    for reads in range(4):
        for writes in range(4):
            fid = 1 + reads * 4 + writes
            desk.ok(f"80E0{fid:04X}07A80008F0F0FF{0x70 | 3 - reads << 2 | 3 - writes:02X}")
            assert desk.protected(f"04D6{0x80 | fid:02X}00", b"12345678", keys[writes]).hex() == "9000"
            challenge = desk.ok("0084000004")
            command = bytes((0x04, 0xB0, 0x80 | fid, 0, 4))
            answer = desk.ok(command + line_mac(keys[reads], command, challenge) + b"\x08")
            assert answer == b"12345678" + line_mac(keys[reads], b"12345678", challenge)


def test_the_mac_covers_the_other_instruction_byte_of_update_binary(desk_of, dice):
    desk = opened(desk_of, dice, FMCOS)
    desk.ok("80E0000507A80008F0F0FFFF")
    assert desk.protected("04D08500", b"12345678", KEY).hex() == "9000"
    challenge = desk.ok("0084000004")
    signed = bytes.fromhex("04D685000C") + b"87654321"
    assert desk.status(b"\x04\xd0" + signed[2:] + line_mac(KEY, signed, challenge)) == "6988"


def test_three_wrong_macs_in_a_row_lock_and_a_right_one_between_them_does_not(line):
    line.desk.ok("80E0000507A80008F0F0FFFF")
    wrong = [line.desk.protected("04D68500", b"x", bytes(16)).hex() for _ in "12"]
    assert line.write("D68500", b"x", "mac").hex() == "9000"
    wrong += [line.desk.protected("04D68500", b"x", bytes(16)).hex() for _ in "123"]
    assert wrong == ["6988"] * 4 + ["9303"]
    assert line.desk.status("00B0850001") == "9303"


@pytest.mark.skipif(not has_sm4(), reason="the installed OpenSSL has no SM4")
@pytest.mark.parametrize("form", TYPES)
def test_an_experimental_card_protects_with_sm4(desk_of, dice, form):
    line = Line(opened(desk_of, dice, attrs.evolve(FMCOS, line=SM4_LINE)), SM4_LINE)
    line.desk.ok(f"80E0000507{0x28 | TYPES[form]:02X}0040F0F0FF7F")
    for size in (1, 15, 16, 31):
        assert line.write("D68500", bytes(range(size)), form).hex() == "9000"
        assert line.read("B08500", form, f"{size:02X}") == bytes(range(size))
