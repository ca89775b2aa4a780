"""How many TACs and terminal MACs one core checks a second: in bulk, one by one, and beside OpenSSL alone.

    python benchmarks/tac.py [--records N] [--per-card N] [--per-terminal N] [--json]

All figures are records per second of processor time of one core, the best of three rounds, so that other work
on the machine disturbs them less. ``openssl speed`` encrypts the same number of bytes over and over under one
key, without setting a key up: what no program that calls OpenSSL once per record can reach.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from citycard.keys import CORE_PURPOSES, Algorithm, Vault
from citycard.keys.bulk import purchase_tacs
from citycard.keys.purse import purchase_tac
from citycard.keys.suite import suite_of
from citycard.keys.versions import KeyVersions
from citycard.testing.tacs import make_purchase_tacs

ROUNDS, ALONE = 3, 10_000
#: What OpenSSL calls the cipher, and the bytes of one record under it.
OPENSSL = {"TDES": ("des-cbc", 24), "SM4": ("sm4-cbc", 32), "AES": ("aes-128-cbc", 32)}
MAC_SIZE = 122


def per_second(work: Callable[[], object], records: int) -> int:
    """Return records per second of processor time, the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return round(records / best)


def openssl(cipher: str, size: int) -> int | str:
    """Return how many pieces of ``size`` bytes ``openssl speed`` does a second, or why it does not."""
    program = shutil.which("openssl")
    if program is None:
        return "not available: openssl is not installed"
    # Single DES is in a provider of its own since OpenSSL 3.
    command = [program, "speed", "-mr", "-seconds", "1", "-bytes", str(size)]
    command += ["-provider", "default", "-provider", "legacy", "-evp", cipher]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    rates = [line.split(":") for line in told.stdout.splitlines() if line.startswith("+F:")]
    if told.returncode or not rates:
        return f"not available: openssl {cipher} says {(told.stderr.strip().splitlines() or ['nothing'])[-1]}"
    return round(float(rates[0][-1]) / size)


def drawn(records: int, per_card: int) -> dict[str, Any]:
    """Draw purchases of cards that lie together, as clearing sorts them."""
    dice = np.random.default_rng(1)
    cards = dice.integers(0, 256, (-(-records // per_card), 8), dtype=np.uint8)
    return {
        "asn8": np.repeat(cards, per_card, axis=0)[:records],
        "key_version": np.ones(records, dtype=np.uint8),
        "amount_fen": dice.integers(0, 100_000, records),
        "tti": np.full(records, 6, dtype=np.uint8),
        "terminal6": dice.integers(0, 256, (records, 6), dtype=np.uint8),
        "serial": np.arange(records, dtype=np.uint32),
        "datetime7": dice.integers(0, 256, (records, 7), dtype=np.uint8),
    }


def tacs(vault: Vault, algorithm: Algorithm, records: int, per_card: int) -> dict[str, object]:
    """Compute TACs in bulk and one by one, and check them as a vault does, with the keys derived."""
    suite = suite_of(algorithm)
    asked = drawn(records, per_card)
    keys = vault.card_key_column("tac", asked["asn8"], 1)
    said = {name: asked[name] for name in ("amount_fen", "tti", "terminal6", "serial", "datetime7")}
    few = [column[:ALONE] for column in (keys, *said.values())]
    rows = [
        (key.tobytes(), int(amount), int(tti), terminal.tobytes(), int(serial), at.tobytes())
        for key, amount, tti, terminal, serial, at in zip(*few, strict=True)
    ]
    bulk = per_second(lambda: purchase_tacs(keys, **said, suite=suite), records)
    alone = per_second(lambda: [purchase_tac(*row, suite=suite) for row in rows], len(rows))
    report: dict[str, object] = {
        "bulk": bulk,
        "one_by_one": alone,
        "bulk_to_one_by_one": round(bulk / alone, 1),
    }
    if algorithm is Algorithm.TDES:
        good = make_purchase_tacs(vault, **asked)
        report["checked_by_vault"] = per_second(
            lambda: vault.check_purchase_tacs(**asked, tac4=good), records
        )
    return beside(report, *OPENSSL[algorithm.name])


def terminal_macs(vault: Vault, records: int, per_terminal: int) -> dict[str, object]:
    """Check the MACs of records, the keys of their terminals derived, in bulk and one by one."""
    dice = np.random.default_rng(2)
    numbers = dice.integers(0, 256, (-(-records // per_terminal), 6), dtype=np.uint8)
    terminals = np.repeat(numbers, per_terminal, axis=0)[:records]
    data = dice.integers(0, 256, (records, MAC_SIZE), dtype=np.uint8)
    macs = vault.make_terminal_macs(terminals, data)
    rows = [
        (terminal.tobytes(), said.tobytes(), mac.tobytes())
        for terminal, said, mac in zip(terminals[:ALONE], data[:ALONE], macs[:ALONE], strict=True)
    ]
    bulk = per_second(lambda: vault.check_terminal_macs(terminals, data, macs), records)
    alone = per_second(lambda: [vault.check_terminal_mac(*row) for row in rows], len(rows))
    report: dict[str, object] = {
        "bulk": bulk,
        "one_by_one": alone,
        "bulk_to_one_by_one": round(bulk / alone, 1),
    }
    return beside(report, "aes-128-cbc", 128)


def beside(report: dict[str, object], cipher: str, size: int) -> dict[str, object]:
    """Add what OpenSSL does alone, and how we compare."""
    theirs = openssl(cipher, size)
    report[f"openssl_{cipher}_{size}_bytes"] = theirs
    if isinstance(theirs, int) and isinstance(report["bulk"], int):
        report["bulk_to_openssl"] = round(report["bulk"] / theirs, 2)
    return report


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--per-card", type=int, default=5)
    parser.add_argument("--per-terminal", type=int, default=250)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    vault = Vault(bytes(range(16)), versions)
    report: dict[str, Any] = {
        "machine": f"{platform.processor() or platform.machine()}, Python {platform.python_version()}",
        "numpy": np.__version__,
    }
    for algorithm in (Algorithm.TDES, Algorithm.SM4, Algorithm.AES):
        report[f"tac_{algorithm.name.lower()}"] = tacs(vault, algorithm, options.records, options.per_card)
    report["terminal_mac"] = terminal_macs(vault, options.records, options.per_terminal)
    if options.json:
        print(json.dumps(report, indent=2))
        return
    for name, value in report.items():
        for inner, figure in value.items() if isinstance(value, dict) else [("", value)]:
            told = figure if isinstance(figure, str) else f"{figure:,}"
            print(f"{f'{name} {inner}'.strip():44} {told}")


if __name__ == "__main__":
    main()
