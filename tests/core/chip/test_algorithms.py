"""Purse keys of AES and SM4: the card computes with what its key header names, when its profile allows it.

Every session key, MAC and TAC that is expected here is made with ``cryptography`` alone, from docs/keys.md.
"""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.cmac import CMAC

from citycard.card.files import TRANSIT_PROFILE
from citycard.chip import T_UNION, Chip, PowerLoss, personalise, prepare_blank
from citycard.errors import PurseAlgorithmNotAllowed
from citycard.keys import Algorithm

DPK, DLK, DTK = (bytes(range(start, start + 16)) for start in (0x20, 0x50, 0x80))
TERMINAL, WHEN = bytes.fromhex("001122334455"), bytes.fromhex("20241229141740")
AMOUNT = 250
BOTH = attrs.evolve(TRANSIT_PROFILE, algorithms=("aes", "sm4"))
PURSE = ("purchase", "load", "tac")


def cbc(cipher, message: bytes) -> bytes:
    block = cipher.block_size // 8
    padded = message + b"\x80" + bytes(-(len(message) + 1) % block)
    return Cipher(cipher, modes.CBC(bytes(block))).encryptor().update(padded)[-block:]


def single(key: bytes, message: bytes) -> bytes:
    return cbc(TripleDES(key * 3), message)[:4]


def block(cipher, data: bytes) -> bytes:
    return Cipher(cipher, modes.ECB()).encryptor().update(data)


def session(name: str, key: bytes, data: bytes) -> bytes:
    if name == "tdes":
        return block(TripleDES(key + key[:8]), data)
    return block({"aes": AES, "sm4": SM4}[name](key), data + bytes(255 - byte for byte in data))


def mac(name: str, key: bytes, message: bytes) -> bytes:
    if name == "aes":
        code = CMAC(AES(key))
        code.update(message)
        return code.finalize()[:4]
    return cbc(SM4(key), message)[:4] if name == "sm4" else single(key, message)


def tac(name: str, message: bytes) -> bytes:
    if name == "tdes":
        return single(bytes(left ^ right for left, right in zip(DTK[:8], DTK[8:], strict=True)), message)
    return mac(name, DTK, message)


def issue(issuing, marks, profile=BOTH, blank=None) -> Chip:
    """Make a card whose purse keys are marked; ``marks`` are the names of purchase, load and TAC."""
    algorithms = dict(zip(PURSE, (Algorithm[mark.upper()] for mark in marks), strict=True))
    keys = attrs.evolve(
        issuing["keys"],
        purchase=DPK,
        load=DLK,
        tac=DTK,
        algorithms=dict(issuing["keys"].algorithms) | algorithms,
    )
    chip = blank or prepare_blank(issuing["version"], profile)
    personalise(
        chip,
        asn="03105170070104791381",
        issuer="01011000FFFFFFFF",
        product=issuing["product"],
        keys=keys,
        start=dt.date(2024, 1, 1),
        expiry=dt.date(2034, 1, 1),
        profile=profile,
    )
    return chip


def four(number: int) -> bytes:
    return number.to_bytes(4, "big")


def load(desk, name: str, tac_name: str, amount: int) -> None:
    """Load, and check everything that the card answers."""
    answer = desk.init(0, amount)
    balance, counter = answer[:4], answer[4:6]
    key = session(name, DLK, answer[8:12] + counter + b"\x80\x00")
    assert answer[12:] == mac(name, key, balance + four(amount) + b"\x02" + TERMINAL) + b"\x90\x00"
    mac2 = mac(name, key, four(amount) + b"\x02" + TERMINAL + WHEN)
    proof = desk.send(b"\x80\x52\x00\x00\x0b" + WHEN + mac2 + b"\x04")
    new = four(int.from_bytes(balance, "big") + amount)
    expected = tac(tac_name, new + counter + four(amount) + b"\x02" + TERMINAL + WHEN)
    assert proof == expected + b"\x90\x00"
    assert desk.prove(2, int.from_bytes(counter, "big") + 1) == mac2 + expected


def debit(desk, name: str, tac_name: str, tti: int, updates=()) -> bytes:
    """Pay, check everything that the card answers, and return the algorithm byte that it reported."""
    answer = desk.init(3 if tti == 9 else 1, AMOUNT)
    for update in updates:
        desk.ok(update)
    desk.serial += 1
    counter, serial = answer[4:6], four(desk.serial)
    key = session(name, DPK, answer[11:15] + counter + serial[2:])
    money = four(AMOUNT) + bytes((tti,)) + TERMINAL
    command = b"\x80\x54\x01\x00\x0f" + serial + WHEN + mac(name, key, money + WHEN) + b"\x08"
    expected = tac(tac_name, money + serial + WHEN), mac(name, key, four(AMOUNT))
    answered = desk.send(command)
    assert answered == b"".join(expected) + b"\x90\x00"
    assert desk.prove(tti, int.from_bytes(counter, "big") + 1) == expected[1] + expected[0]
    return answer[10:11]


@pytest.mark.parametrize(
    "marks",
    [
        ("tdes", "tdes", "tdes"),
        ("aes", "aes", "aes"),
        ("sm4", "sm4", "sm4"),
        ("aes", "tdes", "sm4"),
        ("tdes", "sm4", "aes"),
    ],
    ids="-".join,
)
def test_load_composite_purchase_purchase_and_proof_each_by_its_own_key(issuing, desk_of, cache, marks):
    sector, journey = cache
    desk = desk_of(issue(issuing, marks)).select()
    purchase, online, proof = marks
    load(desk, online, proof, 10_000)
    assert debit(desk, purchase, proof, 9, [sector(1, 0x11), journey(0x22)]) == bytes(
        (Algorithm[purchase.upper()],)
    )
    debit(desk, purchase, proof, 6)
    assert desk.balance() == 10_000 - 2 * AMOUNT
    assert desk.records(0x1A)[0][3] == 0x11


def test_a_wrong_mac_moves_no_money_under_any_algorithm(issuing, desk_of):
    for name in ("aes", "sm4"):
        desk = desk_of(issue(issuing, (name,) * 3)).select()
        load(desk, name, name, 1000)
        assert desk.purchase(AMOUNT)[-2:].hex() == "9302"  # the desk computes with 3DES
        assert desk.load(AMOUNT)[-2:].hex() == "9302"
        assert desk.balance() == 1000


@pytest.mark.parametrize("mark", [0x00, 0x01, 0x02, 0x04, 0x05, 0xFF])
def test_a_profile_that_names_no_algorithm_computes_with_3des_whatever_the_mark(issued, desk_of, mark):
    chip = issued.clone()
    for key in chip.structure.named(TRANSIT_PROFILE.aid).keys.values():
        if key.kind in {0x3E, 0x3F, 0x34}:
            chip.eeprom.cells[key.place + 4] = mark
    desk = desk_of(chip).select()
    assert desk.load(1000)[-2:] == b"\x90\x00"
    assert desk.init(1, AMOUNT)[10] == mark
    assert desk.purchase(AMOUNT)[-2:] == b"\x90\x00"


@pytest.mark.parametrize("mark", [0x00, 0x01, 0x03, 0xFF])
def test_a_mark_of_3des_or_of_nothing_is_3des_on_every_profile(issued, desk_of, mark):
    chip = issued.clone()
    chip.profile = attrs.evolve(T_UNION, algorithms=(Algorithm.AES, Algorithm.SM4))
    for key in chip.structure.named(TRANSIT_PROFILE.aid).keys.values():
        if key.kind in {0x3E, 0x3F, 0x34}:
            chip.eeprom.cells[key.place + 4] = mark
    desk = desk_of(chip).select()
    assert desk.load(1000)[-2:] == b"\x90\x00"
    assert desk.purchase(AMOUNT)[-2:] == b"\x90\x00"


def test_an_8_byte_key_stays_single_des_and_the_card_answers(dice, desk_of):
    profile = attrs.evolve(T_UNION, algorithms=(Algorithm.AES, Algorithm.SM4))
    desk = desk_of(Chip.blank(profile, random=dice()), key=bytes(range(8)))
    desk.chip.power_on()
    desk.ok("80E03F0110380800F0F095FFFFA000000632010105")
    desk.ok(b"\x00\xa4\x04\x00\x08" + TRANSIT_PROFILE.aid)
    desk.ok("80E00000073F018F95F0FFFF")
    for kind, index in ((0x3E, 1), (0x3F, 1), (0x34, 0)):
        body = bytes((kind, 0xF0, 0xF0, 0x01, 0x02)) + bytes(range(8))
        desk.ok(bytes((0x80, 0xD4, 0x01, index, len(body))) + body)
    desk.ok("80E00018072E0A17F0EFFFFF")
    desk.ok("80E00002072F0208F000FF18")
    assert desk.load(1000)[-2:] == b"\x90\x00"
    assert desk.purchase(AMOUNT)[-2:] == b"\x90\x00"
    assert desk.balance() == 1000 - AMOUNT


@pytest.mark.parametrize("name", ["aes", "sm4"])
def test_a_card_is_not_personalised_with_keys_that_it_cannot_compute(blank, issuing, name):
    for place in range(3):
        marks = ["tdes"] * 3
        marks[place] = name
        with pytest.raises(PurseAlgorithmNotAllowed, match=f"{PURSE[place]} key is {name}"):
            issue(issuing, marks, TRANSIT_PROFILE, blank.clone())


def test_a_saved_card_goes_on_under_the_same_profile(issuing, desk_of):
    chip = issue(issuing, ("sm4",) * 3)
    load(desk_of(chip).select(), "sm4", "sm4", 1000)
    again = desk_of(Chip.from_image(chip.image(), chip.profile)).select()
    debit(again, "sm4", "sm4", 6)
    assert again.balance() == 1000 - AMOUNT


@pytest.mark.parametrize("name", ["aes", "sm4"])
@pytest.mark.parametrize("kind", ["load", "composite"])
def test_a_cut_command_is_done_or_not_done(issuing, desk_of, cache, name, kind):
    first = desk_of(issue(issuing, (name,) * 3)).select()
    load(first, name, name, 1000)
    image, profile = first.chip.image(), first.chip.profile
    seen = set()
    for torn in (False, True):
        for cut in range(100):
            desk = desk_of(Chip.from_image(image, profile)).select()
            desk.chip.eeprom.cut_after(cut, torn=torn)
            try:
                if kind == "load":
                    load(desk, name, name, 500)
                else:
                    debit(desk, name, name, 9, [cache[0](1, 0x11)])
            except PowerLoss:
                desk.select()
            else:
                break
            done = desk.records(0x1A)[0][3] == 0x11 if kind == "composite" else desk.balance() == 1500
            assert desk.balance() == 1000 + done * (500 if kind == "load" else -AMOUNT)
            which, tti = (0, 2) if kind == "load" else (1, 9)
            counter = desk.counters()[which]
            assert counter == done + (kind == "load")
            proof = desk.prove(tti, 2 if kind == "load" else 1)
            assert (proof is not None) == done
            seen.add(done)
            desk.chip.eeprom.cut_after(None)
            load(desk, name, name, 500)  # it goes on working
        assert cut > 4
    assert seen == {False, True}
