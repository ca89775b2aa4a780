"""How many taps a second go through terminal and chip, with every MAC, TAC and commit.

    python benchmarks/tap.py [taps]

A tap is what a gate does: power up, select, EF 15, EF 17, balance, initialise, SAM, cache, debit, MAC2, then
the signed transaction record. Key derivation, both sides' cryptography and the journaled commit are in it.
"""

from __future__ import annotations

import datetime as dt
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from citycard.card import CardProduct, SectorLayout, allocate
from citycard.card.codec import layout, reserved
from citycard.chip import Chip, personalise, prepare_blank
from citycard.keys import CORE_PURPOSES, KeyHierarchy, Vault
from citycard.keys.versions import KeyVersions
from citycard.psam import Psam, SamIdentity, personalise_sam
from citycard.terminal import (
    CardSam,
    InProcessReader,
    PurseSession,
    RecordKind,
    RecordPlan,
    SoftSam,
    Terminal,
    TransactionRecord,
    read_record,
)

NUMBER = "300089000340"
ISSUER = "01015840FFFFFFFF"
AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
CARDS = 200


@layout(size=125)
class Rail:
    rest: bytes = reserved(125)


class Host:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def begin(self, asn, key_version, balance_fen, online_atc, rnd, mac1, amount_fen, terminal, at) -> bytes:  # noqa: ANN001
        return self._vault.load_mac2(
            asn8=bytes.fromhex(asn)[-8:],
            key_version=key_version,
            rnd4=rnd,
            online_atc=online_atc,
            amount_fen=amount_fen,
            terminal6=bytes.fromhex(terminal),
            date4_time3=bytes.fromhex(f"{at:%Y%m%d%H%M%S}"),
        )

    def confirm(self, asn: str, online_atc: int, tac: bytes) -> None: ...

    def reverse(self, asn: str, online_atc: int) -> None: ...


def machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        model = f"{names[0]}, {len(names)} cores" if names else model
    return f"{model}; Python {platform.python_version()}; {platform.system()} {platform.release()}"


def rate(title: str, taps: int, tap: Callable[[int], object]) -> None:
    for number in range(min(taps, 200)):
        tap(number)
    spent = []
    for number in range(taps):
        begun = time.perf_counter_ns()
        tap(number)
        spent.append(time.perf_counter_ns() - begun)
    spent.sort()
    median, late = (spent[int(taps * part)] / 1000 for part in (0.5, 0.99))
    print(
        f"{title:<58} {taps / sum(spent) * 1e9:>8,.0f} a second {median:>6.0f} µs median {late:>6.0f} µs p99"
    )


def psam_of(vault: Vault) -> Psam:
    sam, master, own = Psam.blank(), bytes(16), b"\0\0" + bytes.fromhex(NUMBER)
    keys = [
        vault.export_under(master, "purchase", 1, header=bytes((0x22, 1, 0))),
        vault.export_under(master, "batch", 1, [own], header=bytes((0x1E, 1, 2))),
    ]
    identity = SamIdentity(
        number=NUMBER.zfill(20),
        terminal=NUMBER,
        issuer=ISSUER,
        receiver=ISSUER,
        start=dt.date(2026, 1, 1),
        expiry=dt.date(2036, 1, 1),
    )
    personalise_sam(InProcessReader(sam), identity, keys, master)
    return sam


def main(taps: int) -> None:
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    vault = Vault(KeyHierarchy.from_root(bytes(range(16)), bytes(8)).city_key(), versions)
    product = CardProduct(name="adult")
    version = allocate(product, [SectorLayout(name="rail", record=Rail, record_id=0x2701)])
    place = version.place("rail")
    sam = SoftSam(NUMBER, vault.sam_keys(), vault.terminal_key(bytes.fromhex(NUMBER)))
    terminal = Terminal(NUMBER, sam, host=Host(vault))
    blank = prepare_blank(version)
    chips: list[Chip] = []
    begun = time.perf_counter()
    for number in range(CARDS):
        asn = f"0310{number:016d}"
        chip = blank.clone()
        keys = vault.card_keys(bytes.fromhex(asn)[-8:])
        expiry = dt.date(2036, 1, 1)
        personalise(
            chip, asn=asn, issuer=ISSUER, product=product, keys=keys, start=dt.date(2026, 1, 1), expiry=expiry
        )
        chips.append(chip)
    each = (time.perf_counter() - begun) / CARDS
    readers = [InProcessReader(chip) for chip in chips]
    print(machine())
    print(f"personalised {CARDS} cards, {each * 1e6:.0f} µs each")
    for reader in readers:
        terminal.tap(reader, AT).load(100_000_00, AT)

    gate = RecordPlan(kind=RecordKind.EXIT, service=1, facts=bytes(48), list_price_fen=500)
    bus = RecordPlan(kind=RecordKind.SINGLE, service=2, facts=bytes(48), list_price_fen=200)
    body, journey = bytes(125), b"\x04" + bytes(47)

    def metro(number: int) -> None:
        session = terminal.tap(readers[number % CARDS], AT)
        updates = [session.write_sector(place, body), session.write_journey(journey)]
        terminal.record(session.capp(5, AT, updates, plan=gate))

    def ride(number: int) -> None:
        session = terminal.tap(readers[number % CARDS], AT)
        terminal.record(session.purchase(2, AT, plan=bus))

    def read_only(number: int) -> PurseSession:
        return terminal.tap(readers[number % CARDS], AT)

    def load(number: int) -> None:
        terminal.tap(readers[number % CARDS], AT).load(100, AT)

    rate("metro: open, composite debit, two records, signed record", taps, metro)
    rate("bus: open, debit, signed record", taps, ride)
    chip_sam = Terminal(NUMBER, CardSam(InProcessReader(psam_of(vault))))

    def with_chip_sam(number: int) -> None:
        session = chip_sam.tap(readers[number % CARDS], AT)
        chip_sam.record(session.purchase(2, AT, plan=bus))

    rate("bus, the SAM a chip asked by APDUs", taps, with_chip_sam)
    rate("open only", taps, read_only)
    rate("load, with the host's MACs", taps, load)
    batch = terminal.close_batch(AT.date(), AT)
    assert batch is not None
    record = read_record(batch[40:168])
    rate("read a record", taps, lambda _: read_record(batch[40:168]))
    encode = TransactionRecord.__layout__.encode  # type: ignore[attr-defined]
    rate("write a record", taps, lambda _: encode(record))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
