"""The SAM of a terminal: it derives a card's key, lets the card pay, and signs what the terminal records."""

from __future__ import annotations

import re
from hmac import compare_digest
from typing import Protocol, runtime_checkable

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from citycard.card.identity import CardIdentity
from citycard.errors import (
    KeyVersionUnknown,
    SamAlgorithmMismatch,
    SamOutOfOrder,
    SamSerialExhausted,
    SamTerminalInvalid,
)
from citycard.keys.cipher import Algorithm, sized
from citycard.keys.line import line_mac
from citycard.keys.purse import purchase_session
from citycard.keys.records import SamKeys
from citycard.keys.suite import suite_of

__all__ = ["Sam", "SoftSam"]

_TERMINAL = re.compile(r"[0-9]{12}")
_SINGLE_DES = 0x01
_SERIAL_MOST = 0xFFFFFFFF


@runtime_checkable
class Sam(Protocol):
    """What a terminal asks of its SAM, soft or hard."""

    @property
    def terminal(self) -> str:
        """The terminal number: 12 digits."""

    def init_for_purchase(
        self,
        rnd4: bytes,
        atc: int,
        amount_fen: int,
        tti: int,
        datetime7: bytes,
        key_version: int,
        algorithm: int,
        asn8: bytes,
        card: CardIdentity | None = None,
    ) -> tuple[int, bytes]:
        """Begin a purchase; return the terminal's next serial and the 4-byte MAC1.

        ``card`` says whose card it is, for a SAM whose keys have levels above the card's.
        """

    def line_mac(self, card: CardIdentity, command: bytes, challenge: bytes) -> bytes:
        """Return the 4-byte MAC of a record for a composite purchase, on makes that want one."""

    def check_mac2(self, mac2: bytes) -> bool:
        """Say whether the card of the purchase under way made this MAC2; ends the purchase."""

    def record_mac(self, data: bytes) -> bytes:
        """Return the 4-byte MAC of a transaction record."""

    def sign_batch(self, digest32: bytes) -> bytes:
        """Return the 16-byte AES-CMAC of a batch's digest."""


class SoftSam:
    """A SAM in software (INIT_SAM_FOR_PURCHASE and CREDIT_SAM_FOR_PURCHASE of the PSAM; ``docs/keys.md``).

    ``serial`` is the last serial used: whoever keeps the terminal's state reads it back from ``.serial``.
    """

    __slots__ = ("_code", "_keys", "_mac2", "_maintenance", "_terminal6", "serial", "terminal")

    def __init__(self, terminal: str, keys: SamKeys, terminal_key: bytes, serial: int = 0) -> None:
        if not _TERMINAL.fullmatch(terminal):
            raise SamTerminalInvalid(number=terminal)
        self.terminal = terminal
        self.serial = serial
        self._terminal6 = bytes.fromhex(terminal)
        self._keys, self._maintenance = keys.purchase, keys.maintenance
        self._code = CMAC(AES(sized("terminal key", terminal_key, 16)))
        self._mac2: bytes | None = None

    def load(self, keys: SamKeys) -> None:
        """Take the keys of today, such as after a roll-over: the terminal goes on with this SAM."""
        self._keys, self._maintenance = keys.purchase, keys.maintenance

    def __repr__(self) -> str:
        return f"<SoftSam of terminal {self.terminal}, serial {self.serial}>"

    def init_for_purchase(
        self,
        rnd4: bytes,
        atc: int,
        amount_fen: int,
        tti: int,
        datetime7: bytes,
        key_version: int,
        algorithm: int,
        asn8: bytes,
        card: CardIdentity | None = None,
    ) -> tuple[int, bytes]:
        """Begin a purchase: count the serial, derive the card's key and session key, return serial and MAC1.

        ``algorithm`` is the byte the card reports. Raises ``KeyVersionUnknown``, ``SamAlgorithmMismatch``
        or ``SamSerialExhausted``; the serial is then not used up.
        """
        self._mac2 = None
        keys = self._keys.get(key_version)
        if keys is None:
            usable = ", ".join(map(str, self._keys)) or "none"
            raise KeyVersionUnknown(purpose="purchase", version=key_version, usable=usable)
        if self.serial >= _SERIAL_MOST:
            raise SamSerialExhausted(terminal=self.terminal)
        serial = self.serial + 1
        card_key = keys.derive(asn8)
        # Cards say 01 (single DES) and still use 3DES with a 16-byte key.
        single = algorithm == _SINGLE_DES and keys.algorithm == Algorithm.TDES
        if algorithm != keys.algorithm and not single:
            raise SamAlgorithmMismatch(terminal=self.terminal, algorithm=algorithm, version=key_version)
        suite = suite_of(keys.algorithm)
        session = purchase_session(card_key, rnd4, atc, serial, amount_fen, suite)
        mac1 = session.mac1(tti, self._terminal6, datetime7)
        self._mac2 = session.mac2()
        self.serial = serial
        return serial, mac1

    def line_mac(self, card: CardIdentity, command: bytes, challenge: bytes) -> bytes:
        """Return the MAC of a command under the card's maintenance key; KeyVersionUnknown without one."""
        if self._maintenance is None:
            raise KeyVersionUnknown(purpose="maintenance", version="current", usable="none")
        return line_mac(self._maintenance.derive(card.asn8), command, challenge)

    def check_mac2(self, mac2: bytes) -> bool:
        """Say whether the card of the purchase under way made this MAC2; one try per purchase.

        Raises ``SamOutOfOrder`` without a purchase under way.
        """
        expected, self._mac2 = self._mac2, None
        if expected is None:
            raise SamOutOfOrder(terminal=self.terminal)
        return compare_digest(expected, mac2)

    def record_mac(self, data: bytes) -> bytes:
        """Return the leftmost 4 bytes of the AES-CMAC of a transaction record."""
        return self.sign_batch(data)[:4]

    def sign_batch(self, digest32: bytes) -> bytes:
        """Return the 16-byte AES-CMAC of a batch's digest."""
        code = self._code.copy()
        code.update(digest32)
        return code.finalize()
