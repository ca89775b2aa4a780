"""Let cards and terminals prove the records of a part: serials, TACs, MACs, and what is spoiled then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citycard.clearing.columns import whole
from citycard.keys.bulk import purchase_tacs
from citycard.keys.suite import suite_of
from citycard.keys.versions import KeyStatus
from citycard.simulate.columns import Bytes, Rows, bcd
from citycard.simulate.spool import Copy, Spoil
from citycard.simulate.world import World
from citycard.terminal.record import MAC_OFFSET
from citycard.terminal.sam import SoftSam

if TYPE_CHECKING:
    from citycard.keys.vault import Vault

__all__ = ["Signer"]

_FACTOR, _TERMINAL = 8, 6
_WRONG = 0xFF


class Signer:
    """The keys of a city's cards and of its terminals."""

    def __init__(self, vault: Vault, world: World) -> None:
        self._vault, self._world = vault, world
        self._sam_keys = vault.sam_keys()
        rows = (row for row in vault.versions() if row.purpose == "tac")
        self._tac = next(row for row in rows if row.status is KeyStatus.CURRENT)

    def sam(self, terminal: int) -> SoftSam:
        """Give the SAM of a terminal by its place among the simulated ones."""
        number = self._world.terminal(terminal)
        return SoftSam(number, self._sam_keys, self._vault.terminal_key(bytes.fromhex(number)))

    def sign(self, rows: Rows) -> None:
        """Sign the records of a part, which stand by terminal and then in the order of their making."""
        record, own = rows["record"], rows["copy"] == Copy.NONE
        record["terminal_serial"][own] = _serials(rows["terminal"], own)
        record["tac"][own] = self._tacs(record[own])
        record["tac"][rows["spoil"] == Spoil.TAC_WRONG] ^= _WRONG
        record["tac"][rows["spoil"] == Spoil.TAC_NONE] = 0
        _copy(rows, own)
        # By whom hands it in, also where the record names another terminal.
        terminals = bcd(self._world.terminals[rows["terminal"]], _TERMINAL)
        record["mac"] = self._vault.make_terminal_macs(terminals, whole(record)[:, :MAC_OFFSET])
        record["mac"][rows["spoil"] == Spoil.MAC_WRONG] ^= _WRONG

    def _tacs(self, records: Rows) -> Bytes:
        asns = np.ascontiguousarray(records["asn"][:, -_FACTOR:])
        return purchase_tacs(
            self._vault.card_key_column("tac", asns, self._tac.version),
            records["amount_fen"].astype(np.int64),
            records["tti"].astype(np.int64),
            np.ascontiguousarray(records["terminal"]),
            records["terminal_serial"].astype(np.int64),
            np.ascontiguousarray(records["at"]),
            suite=suite_of(self._tac.algorithm),
        )


def _serials(terminals: Rows, own: np.ndarray) -> np.ndarray:
    """Number the records that a terminal made itself, from 1."""
    made = np.cumsum(own)
    fresh = np.flatnonzero(np.diff(terminals.astype(np.int64), prepend=-1))
    before = made[fresh] - own[fresh]
    numbers = made - np.repeat(before, np.diff(np.append(fresh, len(made))))
    found: Rows = numbers[own]
    return found


def _copy(rows: Rows, own: np.ndarray) -> None:
    """Give repeated records the bytes of the true ones, which the same terminal made."""
    copies, made = np.flatnonzero(~own), np.flatnonzero(own)
    made = made[np.argsort(rows["tag"][made])]
    source = made[np.searchsorted(rows["tag"][made], rows["tag"][copies])]
    exact = rows["copy"][copies] == Copy.EXACT
    rows["record"][copies[exact]] = rows["record"][source[exact]]
    for name in ("terminal_serial", "tac"):
        rows["record"][name][copies] = rows["record"][name][source]
