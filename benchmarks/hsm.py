"""How often a token is asked, and how long it takes, next to the same work with a vault in a file.

    python benchmarks/hsm.py [cards]

The token is a SoftHSM (Debian package softhsm2) in a temporary folder. A hardware module answers each call
more slowly: the calls are what counts.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from citycard.keys import FileVault, Pkcs11Vault, Vault, purse
from citycard.keys.token import Token
from citycard.testing.softhsm import SoftHsm, find_module

PIN, FACTOR, ROOT = "13579086", bytes.fromhex("5840000000000001"), bytes(range(16))
TERMINAL, AT = bytes.fromhex("001122334455"), bytes.fromhex("20161216105800")
TERMINALS, LOADS = 200, 100


class Counted:
    """Count what a token is asked while it works."""

    def __init__(self) -> None:
        self.calls = 0
        true = Token.run

        def run(token: Token, work: Callable[[Any], Any]) -> Any:
            self.calls += 1
            return true(token, work)

        Token.run = run  # type: ignore[method-assign]

    def measure(self, work: Callable[[], object]) -> tuple[float, int]:
        """Return seconds and calls."""
        before, started = self.calls, time.perf_counter()
        work()
        return time.perf_counter() - started, self.calls - before


def main(cards: int) -> None:
    """Do the same with both vaults and print both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hsm = SoftHsm(folder)
        hsm.write()
        os.environ["SOFTHSM2_CONF"] = str(hsm.configuration)
        hsm.token("bench", PIN)
        token = Pkcs11Vault.create(folder / "t", find_module(), "bench", PIN, FACTOR, root=ROOT)
        file = FileVault.create(folder / "f", "bench", FACTOR, root=ROOT)
        counted = Counted()
        asns = [number.to_bytes(8, "big") for number in range(cards)]
        tacs = [purse.purchase_tac(one.tac, 250, 6, TERMINAL, 1, AT) for one in file.card_keys_many(asns)]
        print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, SoftHSM")
        for title, count, work in (
            (f"keys of {cards} cards", cards, lambda vault: vault.card_keys_many(asns)),
            (f"TACs of {cards} records", cards, lambda vault: _tacs(vault, asns, tacs)),
            (f"MACs of {TERMINALS} terminals", TERMINALS, _terminals),
            (f"{LOADS} loads", LOADS, lambda vault: _loads(vault, asns[:LOADS])),
        ):
            token_s, calls = counted.measure(lambda work=work: work(token))
            file_s, _ = counted.measure(lambda work=work: work(file))
            print(f"{title}: {calls} calls, {count / token_s:,.0f} a second; file {count / file_s:,.0f}")
        token.close()
        file.close()


def _tacs(vault: Vault, asns: list[bytes], tacs: list[bytes]) -> None:
    count = len(asns)
    right = vault.check_purchase_tacs(
        _rows(asns),
        np.ones(count, np.uint8),
        np.full(count, 250, np.uint32),
        np.full(count, 6, np.uint8),
        _rows([TERMINAL] * count),
        np.ones(count, np.uint32),
        _rows([AT] * count),
        _rows(tacs),
    )
    assert right.all()


def _terminals(vault: Vault) -> None:
    terminals = _rows([number.to_bytes(6, "big") for number in range(TERMINALS)])
    vault.check_terminal_macs(terminals, _rows([b"record"] * TERMINALS), _rows([bytes(4)] * TERMINALS))


def _rows(values: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1)


def _loads(vault: Vault, asns: list[bytes]) -> None:
    for asn in asns:
        card = {"asn8": asn, "key_version": 1, "rnd4": bytes(4), "online_atc": 0}
        vault.check_load_mac1(**card, balance_fen=0, amount_fen=100, terminal6=TERMINAL, mac1=bytes(4))
        vault.load_mac2(**card, amount_fen=100, terminal6=TERMINAL, date4_time3=AT)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
