"""How fast is the chip alone: a tap from power-on to commit, personalising a card, memory per card.

Run it as ``python benchmarks/chip.py``. Only the time inside the chip is measured, not the terminal's.
"""

from __future__ import annotations

import datetime as dt
import platform
import time
import tracemalloc
from collections.abc import Mapping

from citycard.card import CardProduct, Place, SectorLayout, allocate, layout, raw
from citycard.chip import Chip, personalise, prepare_blank
from citycard.keys.cipher import Algorithm
from citycard.keys.purse import PurchaseSession, load_mac2, load_session_key
from citycard.keys.records import CardKeys

TAPS, CARDS, ROUNDS = 1000, 1000, 5
KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
TERMINAL, WHEN = bytes.fromhex("001122334455"), bytes.fromhex("20240101101010")
SELECT = bytes.fromhex("00A4040008A00000063201010500")
READ_APPLICATION = bytes.fromhex("00B095001E")
READ_SECTOR = bytes.fromhex("00B201D400")
BALANCE = bytes.fromhex("805C000204")
SECTOR = bytes.fromhex("80DC01D480 27017D") + bytes(125)
JOURNEY = bytes.fromhex("80DC00F030") + bytes(48)
FEN = 1


@layout(size=125)
class Ride:
    body: bytes = raw(125)


PRODUCT = CardProduct(name="adult")
RAIL = SectorLayout(name="rail", record=Ride, record_id=0x2701)
DOMAINS = ("bus", "bikes", "ferry", "parking", "library", "school", "clinic")
VERSION = allocate(PRODUCT, [RAIL, *(SectorLayout(name=name, record=Ride) for name in DOMAINS)])
BODIES = {place: bytes((place.number,)) * place.size for place in VERSION.places}
_SECRETS = (
    "purchase",
    "load",
    "tac",
    "maintenance",
    "authentication",
    "internal",
    "pin_unblock",
    "pin_reload",
)
KEYS = CardKeys(
    **dict.fromkeys(_SECRETS, KEY),
    versions=dict.fromkeys(_SECRETS, 1),
    algorithms=dict.fromkeys(_SECRETS, Algorithm.TDES),
)


def issue(blank: Chip, number: int, sectors: Mapping[Place, bytes] | None = None) -> Chip:
    chip = blank.clone()
    personalise(
        chip,
        asn=f"{number:020d}",
        issuer="01011000FFFFFFFF",
        product=PRODUCT,
        keys=KEYS,
        start=dt.date(2024, 1, 1),
        expiry=dt.date(2034, 1, 1),
        sectors=sectors,
    )
    return chip


class Stopwatch:
    """Send commands to a chip and add up only the time that the chip takes."""

    def __init__(self, chip: Chip) -> None:
        self.chip, self.seconds = chip, 0.0

    def power_on(self) -> None:
        begun = time.perf_counter()
        self.chip.power_on()
        self.seconds += time.perf_counter() - begun

    def send(self, apdu: bytes) -> bytes:
        begun = time.perf_counter()
        answer = self.chip.transmit(apdu)
        self.seconds += time.perf_counter() - begun
        assert answer[-2:] == b"\x90\x00", (apdu.hex(), answer.hex())
        return answer[:-2]


def tap(watch: Stopwatch, serial: int, *, composite: bool) -> None:
    watch.power_on()
    watch.send(SELECT)
    watch.send(READ_APPLICATION)
    if composite:
        watch.send(READ_SECTOR)
    watch.send(BALANCE)
    kind, tti = (3, 9) if composite else (1, 6)
    answer = watch.send(bytes((0x80, 0x50, kind, 2, 11, 1)) + FEN.to_bytes(4, "big") + TERMINAL + b"\x0f")
    session = PurchaseSession(KEY, answer[11:15], int.from_bytes(answer[4:6], "big"), serial, FEN)
    if composite:
        watch.send(SECTOR)
        watch.send(JOURNEY)
    mac1 = session.mac1(tti, TERMINAL, WHEN)
    proof = watch.send(b"\x80\x54\x01\x00\x0f" + serial.to_bytes(4, "big") + WHEN + mac1 + b"\x08")
    assert proof[4:] == session.mac2()


def load(watch: Stopwatch, amount_fen: int) -> None:
    watch.power_on()
    watch.send(SELECT)
    amount = amount_fen.to_bytes(4, "big")
    answer = watch.send(b"\x80\x50\x00\x02\x0b\x01" + amount + TERMINAL + b"\x10")
    session = load_session_key(KEY, answer[8:12], int.from_bytes(answer[4:6], "big"))
    watch.send(b"\x80\x52\x00\x00\x0b" + WHEN + load_mac2(session, amount_fen, 2, TERMINAL, WHEN) + b"\x04")


def taps_us(chip: Chip, *, composite: bool) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        watch = Stopwatch(chip)
        for serial in range(TAPS):
            tap(watch, serial, composite=composite)
        best = min(best, watch.seconds / TAPS * 1e6)
    return best


def loads_us(chip: Chip) -> float:
    watch = Stopwatch(chip)
    for _ in range(TAPS):
        load(watch, FEN)
    return watch.seconds / TAPS * 1e6


def personalise_us(blank: Chip, sectors: Mapping[Place, bytes] | None = None) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for number in range(CARDS):
            issue(blank, number, sectors)
        best = min(best, (time.perf_counter() - begun) / CARDS * 1e6)
    return best


def main() -> None:
    blank = prepare_blank(VERSION)
    chip = issue(blank, 0)
    load(Stopwatch(chip), 20 * ROUNDS * TAPS)
    print(f"{platform.machine()}, Python {platform.python_version()}")
    print(f"composite tap, chip alone  {taps_us(chip, composite=True):7.1f} µs")
    print(f"purchase tap, chip alone   {taps_us(chip, composite=False):7.1f} µs")
    print(f"load, chip alone           {loads_us(chip):7.1f} µs")
    print(f"personalise, 8 sectors     {personalise_us(blank):7.1f} µs")
    print(f"the same, each body its own {personalise_us(blank, BODIES):6.1f} µs")
    tracemalloc.start()
    kept = [issue(blank, number) for number in range(CARDS)]
    held, _ = tracemalloc.get_traced_memory()
    memory = len(kept[0].eeprom.cells)
    print(f"Python memory of a card    {held / CARDS:7.0f} bytes, of which {memory} are its EEPROM")


if __name__ == "__main__":
    main()
