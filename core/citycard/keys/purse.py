"""Session keys, MACs and TACs of the purse: load 圈存 and purchase 消费 (PBOC, JT/T 978; ``docs/keys.md``).

Pure functions of bytes and ints. Amounts and balances are fen in 4 bytes, counters 2 bytes, terminal
numbers 6 bytes, ``date4_time3`` and ``datetime7`` are seven BCD bytes YYYYMMDDHHMMSS, all big-endian. MACs
and TACs are 4 bytes. ``suite`` says which algorithm; 3DES unless told otherwise.
"""

from __future__ import annotations

from typing import Final

from citycard.keys.cipher import encryptor
from citycard.keys.suite import TDES_SUITE, Suite

__all__ = [
    "TTI_CAPP",
    "TTI_LOAD_EP",
    "TTI_PURCHASE_EP",
    "PurchaseSession",
    "SuiteSession",
    "load_mac1",
    "load_mac2",
    "load_session_key",
    "load_tac",
    "purchase_mac1",
    "purchase_mac2",
    "purchase_session",
    "purchase_session_key",
    "purchase_tac",
]

TTI_LOAD_EP: Final = 0x02
TTI_PURCHASE_EP: Final = 0x06
TTI_CAPP: Final = 0x09

_PAD_18 = 0x8000_0000_0000
_PAD_4 = b"\x80\x00\x00\x00"


def load_session_key(dlk: bytes, rnd4: bytes, online_atc: int, *, suite: Suite = TDES_SUITE) -> bytes:
    """Return the session key of a load: RND ‖ online ATC ‖ 8000 under the load key."""
    return suite.session(dlk, rnd4 + online_atc.to_bytes(2, "big") + b"\x80\x00")


def load_mac1(
    sesslk: bytes,
    old_balance_fen: int,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC1 of a load, by which the card proves itself to the host."""
    return suite.mac(sesslk, old_balance_fen.to_bytes(4, "big") + _amount(amount_fen, tti) + terminal6)


def load_mac2(
    sesslk: bytes,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    date4_time3: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC2 of a load, by which the host lets the card add the money."""
    return suite.mac(sesslk, _amount(amount_fen, tti) + terminal6 + date4_time3)


def load_tac(
    dtk: bytes,
    new_balance_fen: int,
    online_atc_before: int,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    date4_time3: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return the TAC of a load: the card's proof that the money is on it. The ATC is the one before."""
    head = new_balance_fen.to_bytes(4, "big") + online_atc_before.to_bytes(2, "big")
    return suite.mac(suite.tac_key(dtk), head + _amount(amount_fen, tti) + terminal6 + date4_time3)


def purchase_session_key(
    dpk: bytes, rnd4: bytes, offline_atc: int, term_serial4: int, *, suite: Suite = TDES_SUITE
) -> bytes:
    """Return the session key of a purchase or CAPP: RND ‖ offline ATC ‖ low half of the terminal's serial."""
    tail = (offline_atc << 16 | term_serial4 & 0xFFFF).to_bytes(4, "big")
    return suite.session(dpk, rnd4 + tail)


def purchase_mac1(
    sespk: bytes,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    datetime7: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC1 of a purchase, by which the SAM lets the card pay."""
    return suite.mac(sespk, _amount(amount_fen, tti) + terminal6 + datetime7)


def purchase_mac2(sespk: bytes, amount_fen: int, *, suite: Suite = TDES_SUITE) -> bytes:
    """Return MAC2 of a purchase, by which the card proves to the SAM that it paid."""
    return suite.mac(sespk, amount_fen.to_bytes(4, "big"))


def purchase_tac(
    dtk: bytes,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    term_serial: int,
    datetime7: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return the TAC of a purchase, by which clearing knows that the card paid."""
    serial = term_serial.to_bytes(4, "big")
    return suite.mac(suite.tac_key(dtk), _amount(amount_fen, tti) + terminal6 + serial + datetime7)


def _amount(amount_fen: int, tti: int) -> bytes:
    return (amount_fen << 8 | tti).to_bytes(5, "big")


class PurchaseSession:
    """The session of one 3DES purchase with its cipher kept: MAC1 and MAC2 for the price of one key set-up.

    Says the same as ``purchase_mac1`` and ``purchase_mac2``; both a SAM and a card can use it.
    """

    __slots__ = ("_amount", "_update")

    def __init__(self, dpk: bytes, rnd4: bytes, offline_atc: int, term_serial4: int, amount_fen: int) -> None:
        self._update = encryptor(purchase_session_key(dpk, rnd4, offline_atc, term_serial4)).update
        self._amount = amount_fen

    def mac1(self, tti: int, terminal6: bytes, datetime7: bytes) -> bytes:
        """Return MAC1: CBC by hand over the 18 bytes and their padding."""
        number = int.from_bytes(_amount(self._amount, tti) + terminal6 + datetime7, "big") << 48 | _PAD_18
        whole = number.to_bytes(24, "big")
        chain = int.from_bytes(self._update(whole[:8]), "big") ^ int.from_bytes(whole[8:16], "big")
        chain = int.from_bytes(self._update(chain.to_bytes(8, "big")), "big") ^ int.from_bytes(
            whole[16:], "big"
        )
        return self._update(chain.to_bytes(8, "big"))[:4]

    def mac2(self) -> bytes:
        """Return MAC2: one block."""
        return self._update(self._amount.to_bytes(4, "big") + _PAD_4)[:4]


class SuiteSession:
    """The session of one purchase in any suite: says what ``PurchaseSession`` says, with AES or SM4."""

    __slots__ = ("_amount", "_key", "_suite")

    def __init__(
        self, dpk: bytes, rnd4: bytes, offline_atc: int, term_serial4: int, amount_fen: int, suite: Suite
    ) -> None:
        self._key = purchase_session_key(dpk, rnd4, offline_atc, term_serial4, suite=suite)
        self._amount = amount_fen
        self._suite = suite

    def mac1(self, tti: int, terminal6: bytes, datetime7: bytes) -> bytes:
        """Return MAC1."""
        return purchase_mac1(self._key, self._amount, tti, terminal6, datetime7, suite=self._suite)

    def mac2(self) -> bytes:
        """Return MAC2."""
        return purchase_mac2(self._key, self._amount, suite=self._suite)


def purchase_session(
    dpk: bytes, rnd4: bytes, offline_atc: int, term_serial4: int, amount_fen: int, suite: Suite = TDES_SUITE
) -> PurchaseSession | SuiteSession:
    """Open the session of one purchase or CAPP; 3DES, which every tap of today pays for, the fast way."""
    if suite is TDES_SUITE:
        return PurchaseSession(dpk, rnd4, offline_atc, term_serial4, amount_fen)
    return SuiteSession(dpk, rnd4, offline_atc, term_serial4, amount_fen, suite)
