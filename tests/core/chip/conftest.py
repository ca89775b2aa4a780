"""Cards for the chip's tests, and a desk that talks to them as terminal, SAM and load host together."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import attrs
import pytest

from citycard.card import CardProduct, SectorLayout, allocate, layout, raw
from citycard.chip import Chip, personalise, prepare_blank
from citycard.keys import purse
from citycard.keys.line import line_mac
from citycard.keys.records import CardKeys

sys.path.insert(0, str(Path(__file__).parent))
from pursedesk import PurseDesk

KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
AID = bytes.fromhex("A000000632010105")
TERMINAL = bytes.fromhex("001122334455")
WHEN = bytes.fromhex("20241229141740")
PURPOSES = ("purchase", "load", "tac", "internal")


@layout(size=125)
class Ride:
    body: bytes = raw(125)


SECTORS = (
    SectorLayout(name="rail", record=Ride, record_id=0x2701),
    SectorLayout(name="bus", record=Ride, record_id=0x2702),
)
PRODUCT = CardProduct(name="adult", kind=1)
VERSION = allocate(PRODUCT, SECTORS)
KEYS = CardKeys(
    purchase=KEY,
    load=KEY,
    tac=KEY,
    maintenance=bytes(range(16)),
    authentication=bytes(range(16, 32)),
    internal=bytes(range(32, 48)),
    pin_unblock=bytes(range(48, 64)),
    pin_reload=bytes(range(64, 80)),
    versions=dict.fromkeys(PURPOSES, 1),
    algorithms=dict.fromkeys(PURPOSES, purse.TDES_SUITE.algorithm),
)


class Dice:
    """A random source that gives what it was told, then counts: a card whose randoms are known."""

    def __init__(self, *numbers: str) -> None:
        self.numbers = [bytes.fromhex(number) for number in numbers]
        self.count = 0

    def __call__(self, size: int) -> bytes:
        if self.numbers:
            number = self.numbers.pop(0)
            assert len(number) == size
            return number
        self.count += 1
        return self.count.to_bytes(size, "big")


@attrs.define(slots=False)
class Desk:
    """Terminal, SAM and load host of one card, with all its keys known."""

    chip: Chip
    serial: int = 0
    key: bytes = KEY

    def send(self, apdu: bytes | str) -> bytes:
        return self.chip.transmit(bytes.fromhex(apdu) if isinstance(apdu, str) else apdu)

    def ok(self, apdu: bytes | str) -> bytes:
        answer = self.send(apdu)
        assert answer[-2:].hex() == "9000", apdu if isinstance(apdu, str) else apdu.hex()
        return answer[:-2]

    def status(self, apdu: bytes | str) -> str:
        return self.send(apdu)[-2:].hex().upper()

    def select(self) -> Desk:
        self.chip.power_on()
        self.ok(b"\x00\xa4\x04\x00\x08" + AID)
        return self

    def protected(self, head: str, data: bytes, key: bytes) -> bytes:
        challenge = self.ok("0084000004")
        command = bytes.fromhex(head) + bytes((len(data) + 4,)) + data
        return self.send(command + line_mac(key, command, challenge))

    # ── transactions, step by step and whole ─────────────────────────────────────────────────────

    def init(self, kind: int, amount_fen: int, key_index: int = 1) -> bytes:
        body = bytes((key_index,)) + amount_fen.to_bytes(4, "big") + TERMINAL
        return self.send(bytes((0x80, 0x50, kind, 0x02, 0x0B)) + body)

    def credit(self, answer: bytes, amount_fen: int) -> bytes:
        session = purse.load_session_key(self.key, answer[8:12], int.from_bytes(answer[4:6], "big"))
        mac2 = purse.load_mac2(session, amount_fen, 2, TERMINAL, WHEN)
        return self.send(b"\x80\x52\x00\x00\x0b" + WHEN + mac2 + b"\x04")

    def debit(self, answer: bytes, amount_fen: int, tti: int) -> bytes:
        self.serial += 1
        counter = int.from_bytes(answer[4:6], "big")
        session = purse.purchase_session_key(self.key, answer[11:15], counter, self.serial)
        mac1 = purse.purchase_mac1(session, amount_fen, tti, TERMINAL, WHEN)
        return self.send(b"\x80\x54\x01\x00\x0f" + self.serial.to_bytes(4, "big") + WHEN + mac1 + b"\x08")

    def load(self, amount_fen: int) -> bytes:
        answer = self.init(0, amount_fen)
        return self.credit(answer, amount_fen) if answer[-2:] == b"\x90\x00" else answer

    def purchase(self, amount_fen: int) -> bytes:
        answer = self.init(1, amount_fen)
        return self.debit(answer, amount_fen, 6) if answer[-2:] == b"\x90\x00" else answer

    def capp(self, amount_fen: int, updates: Iterable[bytes]) -> bytes:
        answer = self.init(3, amount_fen)
        if answer[-2:] != b"\x90\x00":
            return answer
        for update in updates:
            kept = self.send(update)
            if kept != b"\x90\x00":
                return kept
        return self.debit(answer, amount_fen, 9)

    # ── what the card says ───────────────────────────────────────────────────────────────────────

    def balance(self) -> int:
        return int.from_bytes(self.ok("805C000204"), "big")

    def counters(self) -> tuple[int, int]:
        """Return the online and the offline counter, and leave no transaction behind."""
        online = int.from_bytes(self.ok(b"\x80\x50\x00\x02\x0b\x01" + bytes(10))[4:6], "big")
        offline = int.from_bytes(self.ok(b"\x80\x50\x01\x02\x0b\x01" + bytes(10))[4:6], "big")
        self.balance()
        return online, offline

    def records(self, sfi: int) -> list[bytes]:
        found = []
        for number in range(1, 40):
            answer = self.send(bytes((0x00, 0xB2, number, sfi << 3 | 4, 0x00)))
            if answer[-2:] != b"\x90\x00":
                assert answer.hex() == "6a83"
                break
            found.append(answer[:-2])
        return found

    def prove(self, tti: int, counter: int) -> bytes | None:
        answer = self.send(b"\x80\x5a\x00" + bytes((tti, 2)) + counter.to_bytes(2, "big") + b"\x08")
        if answer[-2:] == b"\x90\x00":
            return answer[:-2]
        assert answer.hex() == "9406"
        return None


def sector(number: int, filling: int) -> bytes:
    """Return the UPDATE CAPP DATA CACHE command that fills sector record ``number``."""
    record = bytes((0x27, number, 0x7D)) + bytes((filling,)) * 125
    return bytes((0x80, 0xDC, number, 0xD4, 0x80)) + record


def journey(filling: int) -> bytes:
    """Return the UPDATE CAPP DATA CACHE command that adds a journey."""
    return bytes.fromhex("80DC00F030") + bytes((filling,)) * 48


@pytest.fixture(scope="session")
def blank() -> Chip:
    return prepare_blank(VERSION, random=Dice())


@pytest.fixture(scope="session")
def issued(blank: Chip) -> Chip:
    """A personalised card with an empty purse; clone it before use."""
    chip = blank.clone()
    personalise(
        chip,
        asn="03105170070104791381",
        issuer="01011000FFFFFFFF",
        product=PRODUCT,
        keys=KEYS,
        start=dt.date(2019, 7, 18),
        expiry=dt.date(2040, 12, 31),
    )
    return chip


@pytest.fixture
def desk(issued: Chip) -> Desk:
    """A personalised card, selected, with nothing in its purse."""
    return Desk(issued.clone()).select()


@pytest.fixture(scope="session")
def hand_issued() -> PurseDesk:
    """A card with passbook and purse, issued by hand; clone it before use."""
    return PurseDesk.issue(Dice())


@pytest.fixture
def purses(hand_issued: PurseDesk) -> PurseDesk:
    """A card with 100 yuan in its passbook and 50 yuan in its purse, selected, its PIN verified."""
    desk = hand_issued.clone()
    desk.load(1, 10_000)
    desk.load(2, 5_000)
    return desk


@pytest.fixture(scope="session")
def desk_of() -> type[Desk]:
    return Desk


@pytest.fixture(scope="session")
def dice() -> type[Dice]:
    return Dice


@pytest.fixture(scope="session")
def issuing() -> dict[str, object]:
    """The product, its version and the keys with which the cards of these tests are issued."""
    return {"product": PRODUCT, "version": VERSION, "keys": KEYS, "sectors": SECTORS}


@pytest.fixture(scope="session")
def cache() -> tuple[Callable[[int, int], bytes], Callable[[int], bytes]]:
    """The two commands that fill the cache of a composite purchase: a sector, a journey."""
    return sector, journey
