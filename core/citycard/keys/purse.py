"""Session keys, MACs and TACs of purse and passbook: load, purchase, unload, overdraft (``docs/keys.md``).

A cash withdrawal 取现 is computed as a purchase, with its own TTI; the grey lock is in ``greylock``. After
PBOC, JT/T 978 and the FMCOS manual, clause 8.

Pure functions of bytes and ints. Amounts and balances are fen in 4 bytes, overdraft limits 3, counters 2,
terminal numbers 6, ``date4_time3`` and ``datetime7`` are seven BCD bytes YYYYMMDDHHMMSS, all big-endian. MACs
and TACs are 4 bytes. ``suite`` says which algorithm; 3DES unless told otherwise.
"""

from __future__ import annotations

from typing import Final

from citycard.keys.cipher import encryptor
from citycard.keys.suite import TDES_SUITE, Suite

__all__ = [
    "TTI_CAPP",
    "TTI_LOAD_ED",
    "TTI_LOAD_EP",
    "TTI_OVERDRAFT",
    "TTI_PURCHASE_ED",
    "TTI_PURCHASE_EP",
    "TTI_UNLOAD",
    "TTI_WITHDRAW",
    "PurchaseSession",
    "SuiteSession",
    "load_mac1",
    "load_mac2",
    "load_session_key",
    "load_tac",
    "overdraft_mac1",
    "overdraft_mac2",
    "overdraft_session_key",
    "overdraft_tac",
    "purchase_mac1",
    "purchase_mac2",
    "purchase_session",
    "purchase_session_key",
    "purchase_tac",
    "unload_mac1",
    "unload_mac2",
    "unload_mac3",
    "unload_session_key",
]

TTI_LOAD_ED: Final = 0x01
TTI_LOAD_EP: Final = 0x02
TTI_UNLOAD: Final = 0x03
TTI_WITHDRAW: Final = 0x04
TTI_PURCHASE_ED: Final = 0x05
TTI_PURCHASE_EP: Final = 0x06
TTI_OVERDRAFT: Final = 0x07
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


def unload_session_key(dulk: bytes, rnd4: bytes, online_atc: int, *, suite: Suite = TDES_SUITE) -> bytes:
    """Return the session key of an unload 圈提: the block of a load under the unload key."""
    return load_session_key(dulk, rnd4, online_atc, suite=suite)


def unload_mac1(
    session: bytes,
    old_balance_fen: int,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC1 of an unload, by which the card proves itself to the host: what a load has."""
    return load_mac1(session, old_balance_fen, amount_fen, tti, terminal6, suite=suite)


def unload_mac2(
    session: bytes,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    date4_time3: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC2 of an unload, by which the host lets the card give the money back: what a load has."""
    return load_mac2(session, amount_fen, tti, terminal6, date4_time3, suite=suite)


def unload_mac3(
    session: bytes,
    new_balance_fen: int,
    online_atc_before: int,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    date4_time3: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC3 of an unload: the card's proof to the host that the money has left it."""
    head = new_balance_fen.to_bytes(4, "big") + online_atc_before.to_bytes(2, "big")
    return suite.mac(session, head + _amount(amount_fen, tti) + terminal6 + date4_time3)


def overdraft_session_key(duk: bytes, rnd4: bytes, online_atc: int, *, suite: Suite = TDES_SUITE) -> bytes:
    """Return the session key of a change of the overdraft limit: the block of a load under its own key."""
    return load_session_key(duk, rnd4, online_atc, suite=suite)


def overdraft_mac1(
    session: bytes,
    balance_fen: int,
    old_limit_fen: int,
    tti: int,
    terminal6: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC1 of a change of the overdraft limit; limits are 3 bytes, the balance counts the limit."""
    return suite.mac(session, balance_fen.to_bytes(4, "big") + _limit(old_limit_fen, tti) + terminal6)


def overdraft_mac2(
    session: bytes,
    new_limit_fen: int,
    tti: int,
    terminal6: bytes,
    date4_time3: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC2 of a change of the overdraft limit, by which the host sets the new one."""
    return suite.mac(session, _limit(new_limit_fen, tti) + terminal6 + date4_time3)


def overdraft_tac(
    dtk: bytes,
    new_balance_fen: int,
    online_atc_before: int,
    new_limit_fen: int,
    tti: int,
    terminal6: bytes,
    date4_time3: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return the TAC of a change of the overdraft limit, under the TAC key of every other transaction.

    The manual says the whole DTK; a card answered a field program with left xor right half, and so does this.
    """
    head = new_balance_fen.to_bytes(4, "big") + online_atc_before.to_bytes(2, "big")
    return suite.mac(suite.tac_key(dtk), head + _limit(new_limit_fen, tti) + terminal6 + date4_time3)


def _amount(amount_fen: int, tti: int) -> bytes:
    return (amount_fen << 8 | tti).to_bytes(5, "big")


def _limit(limit_fen: int, tti: int) -> bytes:
    return (limit_fen << 8 | tti).to_bytes(4, "big")


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
