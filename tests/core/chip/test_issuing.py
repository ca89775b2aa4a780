"""Issuing scripts, APDU by APDU, on cards as the maker delivers them; creating and erasing."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from citycard.chip import FMCOS, T_UNION, Chip
from citycard.chip.t0 import GET_RESPONSE
from citycard.keys.cipher import tdes

SCRIPTS = Path(__file__).parent / "scripts"
"""Each line is a command and the exact answer, or "random" and the number that the card draws next."""
TRANSPORT = b"\xff" * 16


class Told:
    """A random source that gives what the script says, and nothing else."""

    def __init__(self) -> None:
        self.numbers: list[bytes] = []

    def __call__(self, size: int) -> bytes:
        number = self.numbers.pop(0)
        assert len(number) == size
        return number


def steps(name):
    for line in (SCRIPTS / f"{name}.apdu").read_text(encoding="ascii").splitlines():
        if not line.startswith("#"):
            yield line.split()


def run(name, profile, transmit_of=lambda chip: chip.transmit, resets=()):
    """Play a script on a card in transport state and return the card; every answer has to be exact."""
    told = Told()
    chip = Chip.blank(profile, transport=True, random=told)
    chip.power_on()
    transmit = transmit_of(chip)
    for number, (command, wanted) in enumerate(steps(name)):
        if command == "random":
            told.numbers.append(bytes.fromhex(wanted))
            continue
        answer = transmit(bytes.fromhex(command)).hex().upper()
        assert (number, command, answer) == (number, command, wanted)
    assert told.numbers == []
    return chip


@pytest.mark.parametrize(
    ("name", "profile"),
    [("fmcos-16", FMCOS), ("fmcos-8", FMCOS), ("t-union", T_UNION), ("etc", FMCOS), ("compro", FMCOS)],
    ids=[
        "fmcos, 16-byte keys",
        "fmcos, 8-byte keys",
        "t-union",
        "etc, log behind the PIN",
        "driver on an FM1208-09",
    ],
)
def test_an_issuing_script_from_transport_state_runs_to_its_end_with_the_recorded_bytes(name, profile):
    # Skeleton: FMCOS technical manual 2 and the published script "CPU Key Example"; load and purchase: the
    # recorded card of 2016-12-16 (its three randoms, MACs and TACs), with one key for all.
    chip = run(name, profile)
    assert Chip.from_image(chip.image(), profile).power_on() == profile.atr


def test_the_same_script_runs_behind_a_t0_interface():
    def with_get_response(chip):
        def transmit(apdu):
            tail = apdu[5 + apdu[4] :] if len(apdu) > 5 else b""
            answer = chip.transmit(apdu[: len(apdu) - len(tail)])
            if answer[:1] == b"\x61":
                answer = chip.transmit(GET_RESPONSE + b"\x00\x00" + answer[1:])
            elif answer[:1] == b"\x6c":
                answer = chip.transmit(apdu[:4] + answer[1:])
            return answer

        return transmit

    run("fmcos-16", attrs.evolve(FMCOS, t0=True), with_get_response)


@pytest.fixture
def new(desk_of, dice):
    """A card as its maker delivers it."""
    desk = desk_of(Chip.blank(FMCOS, transport=True, random=dice()))
    desk.chip.power_on()
    return desk


def authenticate(desk, key=TRANSPORT):
    challenge = desk.ok("0084000008")
    return desk.status(b"\x00\x82\x00\x00\x08" + tdes(key, challenge))


def test_a_new_card_has_a_master_file_and_its_transport_key_and_nothing_else(new):
    assert new.ok("00A40000023F00").hex().upper() == "6F15840E315041592E5359532E4444463031A503880101"
    root = new.chip.structure.root
    assert (dict(root.files), dict(root.children)) == ({}, {})
    assert [(key.kind, key.index, key.size) for key in root.keys.values()] == [(0x39, 0, 16)]


def test_nobody_creates_or_erases_on_a_new_card_without_the_transport_key(new):
    commands = ("80E000050728000AF0F0FFFF", "80E03F0110380800F0F095FFFFA000000632010105", "800E000000")
    assert [new.status(command) for command in commands] == ["6982"] * 3
    assert authenticate(new, bytes(16)) == "63C2"
    assert [new.status(command) for command in commands] == ["6982"] * 3
    assert authenticate(new) == "9000"
    assert [new.status(command) for command in commands] == ["9000"] * 3


def test_three_wrong_transport_keys_make_the_card_useless(new):
    assert [authenticate(new, bytes(16)) for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]
    assert authenticate(new) == "6983"


def test_the_transport_key_can_be_replaced_without_erasing(new):
    own = "39F0F10F33" + "77" * 16
    assert new.status("80D4390015" + own) == "6982"
    assert authenticate(new) == "9000"
    new.ok("80D4390015" + own)
    new.chip.reset()
    assert authenticate(new) == "63C2"
    assert authenticate(new, b"\x77" * 16) == "9000"


def test_erasing_an_application_leaves_the_rest_of_the_card(new):
    authenticate(new)
    new.ok("80E000050728000AF0F0FFFF")
    for fid, name in (("3F01", "4649525354"), ("3F02", "5345434F4E44")):
        new.ok(f"80E0{fid}{8 + len(name) // 2:02X}380200F0F095FFFF{name}")
    for fid in ("3F01", "3F02"):
        new.ok("00A40000023F00")
        new.ok(f"00A4000002{fid}")
        new.ok("80E000060728000AF0F0FFFF")
    new.ok("00A40000023F01")
    new.ok("800E000000")
    assert new.status("00B0860000") == "6A82"
    new.ok("00A40000023F02")
    assert new.status("00B0860000") == "6281"
    new.ok("00A40000023F00")
    assert new.status("00B0850000") == "6281"


def test_an_empty_master_file_is_created_anew_with_the_transport_code(new):
    create = "80E03F00{:02X}38FFFFF0F001FFFF{}"
    name, code = b"1PUB.SYS.DDF01".hex(), "FF" * 10
    assert new.status(create.format(32, name + code)) == "6A86"  # there is a key file
    authenticate(new)
    new.ok("800E000000")
    assert new.status(create.format(32, name + "00" * 10)) == "6982"
    assert new.status(create.format(21, name[:20] + code[:6])) == "6700"
    new.ok(create.format(32, name + code))
    assert new.ok("00A40000023F00")[4:18] == b"1PUB.SYS.DDF01"
    new.ok("80E00000073F005001F0FFFF")
    assert new.status(create.format(32, name + code)) == "6A86"
    new.chip.power_off()
    assert Chip.from_image(new.chip.image()).structure.root.name == b"1PUB.SYS.DDF01"


def test_an_id_is_used_once_in_its_directory(new):
    authenticate(new)
    new.ok("80E03F01113803 00F0F095FFFF".replace(" ", "") + "4649525354" + "2E" * 4)
    assert new.status("80E03F010728000AF0F0FFFF") == "6A86"
    assert new.status("80E03F000728000AF0F0FFFF") == "6A86"
    assert new.status("80E000000728000AF0F0FFFF") == "6A86"
    new.ok("80E03F090728000AF0F0FFFF")
    assert new.status("80E03F090D380100F0F095FFFF" + "5345434F4E"[:10]) == "6A86"


def test_a_purse_is_file_1_or_2(new):
    authenticate(new)
    assert new.status("80E00003072F0208F000FF18") == "6A80"
    new.ok("80E00001072F0208F000FF18")
    new.ok("80E00002072F0208F000FF18")
