"""How fast is a software card behind the real PC/SC service, and how much of that is citycard's own work.

Run it as ``python benchmarks/pcsc.py``; it needs pcscd, vsmartcard-vpcd and pyscard. In the same run it times
a card that answers 9000 to everything: what that card takes is the way there and back, the rest is the chip.
"""

from __future__ import annotations

import datetime as dt
import platform
import tempfile
import time
from pathlib import Path

from citycard.card import CardProduct, allocate
from citycard.chip import Chip, personalise, prepare_blank
from citycard.keys import FileVault
from citycard.pcsc import PcscReader, VpcdSlot
from citycard.terminal import InProcessReader, PurseSession, Reader, SoftSam
from citycard.testing.pcscd import PcscService

COMMANDS, TAPS, ROUNDS = 2000, 200, 3
ASN, TERMINAL = "03105170070104791381", "001122334455"
READ = bytes.fromhex("00B095001E")
SELECT = bytes.fromhex("00A4040008A00000063201010500")
AT = dt.datetime.fromisoformat("2026-03-02T08:00:00")


class Echo(Chip):
    """A card that says 9000 to everything, at once."""

    __slots__ = ()

    def transmit(self, apdu: bytes) -> bytes:
        return b"\x90\x00"


def issued(vault: FileVault) -> Chip:
    product = CardProduct(name="adult")
    card = prepare_blank(allocate(product, [])).clone()
    personalise(
        card,
        asn=ASN,
        issuer="01011000FFFFFFFF",
        product=product,
        keys=vault.card_keys(bytes.fromhex(ASN[4:])),
        start=dt.date(2024, 1, 1),
        expiry=dt.date(2034, 1, 1),
    )
    return card


def command_us(reader: Reader, apdu: bytes, count: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(count):
            reader.transmit(apdu)
        best = min(best, (time.perf_counter() - begun) / count * 1e6)
    return best


def tap_us(reader: Reader, vault: FileVault, count: int) -> float:
    sam = SoftSam(TERMINAL, vault.sam_keys(), vault.terminal_key(bytes.fromhex(TERMINAL)))
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(count):
            session = PurseSession(reader, sam)
            session.open(AT)
            session.purchase(0, AT)
        best = min(best, (time.perf_counter() - begun) / count * 1e6)
    return best


def connect_us(reader: Reader, count: int) -> float:
    begun = time.perf_counter()
    for _ in range(count):
        reader.connect()
    return (time.perf_counter() - begun) / count * 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        vault = FileVault.create(Path(folder) / "vault.bin", "benchmark", bytes(8))
    card, echo = issued(vault), Echo.blank()
    alone = tap_us(InProcessReader(card.clone()), vault, TAPS)
    print(f"{platform.machine()}, Python {platform.python_version()}")
    with (
        PcscService(readers=1) as service,
        service.in_environment(),
        VpcdSlot(card, port=service.slots[0].port),
        VpcdSlot(echo, port=service.slots[1].port),
        PcscReader(service.slots[0].reader) as ours,
        PcscReader(service.slots[1].reader) as empty,
    ):
        for reader in (ours, empty):
            reader.wait_for_card(10)
            reader.connect()
        ours.transmit(SELECT)
        echoed = command_us(empty, READ, COMMANDS)
        read = command_us(ours, READ, COMMANDS)
        power = connect_us(empty, TAPS)
        tap = tap_us(ours, vault, TAPS)
    print(f"command, card that says 9000  {echoed:8.1f} µs  {1e6 / echoed:7.0f} a second")
    print(f"READ BINARY of 30 bytes       {read:8.1f} µs  {1e6 / read:7.0f} a second")
    print(f"  the chip's share            {max(0.0, read - echoed) / read:8.1%}")
    print(f"power down and up again       {power:8.1f} µs")
    print(f"purchase tap over PC/SC       {tap:8.1f} µs  {1e6 / tap:7.0f} a second")
    print(f"the same tap in one process   {alone:8.1f} µs")
    print(f"  terminal's and chip's share {alone / tap:8.1%}")


if __name__ == "__main__":
    main()
