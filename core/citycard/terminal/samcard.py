"""A SAM in a reader: the same work as ``SoftSam``, asked of a PSAM by APDUs (docs/sam.md)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from citycard.card.identity import CardIdentity
from citycard.errors import (
    CardRemoved,
    KeyVersionUnknown,
    SamAlgorithmMismatch,
    SamCannotSign,
    SamOutOfOrder,
    SamSerialExhausted,
    SamTerminalInvalid,
    SamUnavailable,
    TerminalInvalid,
)
from citycard.terminal.answering import whole_answer
from citycard.terminal.reader import Reader

__all__ = ["CardSam", "Factor"]

_OK, _WRONG_MAC2, _OUT_OF_ORDER = b"\x90\x00", b"\x93\x02", b"\x69\x01"
_NO_VERSION, _USED_UP, _OTHER_ALGORITHM = b"\x94\x03", b"\x94\x02", b"\x69\x81"
_ROOT = bytes.fromhex("00A40000023F00")
_READ_TERMINAL, _READ_SERIAL = bytes.fromhex("00B0960006"), bytes.fromhex("00B0980004")
_INIT, _CREDIT, _SIGN = b"\x80\x70\x00\x00", b"\x80\x72\x00\x00", b"\x80\xf8\x00\x00"
_TERMINAL = re.compile(r"[0-9]{12}")
_ANSWER, _TRIES = 8, 2
_FACTOR, _MAINTENANCE, _LONGEST = 8, 0x05, 240
_MAC_END, _MAC_MORE, _MAC_START = 0x01, 0x03, 0x04


class Factor(StrEnum):
    """What of a card diversifies its key above the number: one SAM then serves cards of many issuers.

    ``ISSUER`` is the issuer's 8 bytes, ``CITY`` two bytes of city code, ``FF`` and zeros, ``CARD`` the last 8
    of the number once more.
    """

    ISSUER = "issuer"
    CITY = "city"
    CARD = "card"


class CardSam:
    """Be the SAM of a terminal by a PSAM in ``reader``, in process or PC/SC.

    ``application`` is the AID, or the two bytes of the FID, of its application. ``upper`` are the factors
    above the card's own, the nearest first: none where cards are diversified once, one for two levels, two
    for three. Each is 8 bytes, or a ``Factor`` taken from the card that pays. ``maintenance`` is the version
    of the maintenance key, for cards whose records want a MAC. A PSAM without our signature command needs
    ``terminal_key``, 16 bytes kept in software.

    The PSAM counts its serial itself. A connection that was lost is made again at the next command; another
    terminal's SAM in the reader is refused.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        application: bytes = bytes.fromhex("A0000006324D4F542E435053414D3031"),
        upper: Sequence[bytes | Factor] = (),
        maintenance: int = 1,
        terminal_key: bytes | None = None,
    ) -> None:
        self._reader = reader
        by = b"\x00\x00" if len(application) == 2 else b"\x04\x00"  # noqa: PLR2004  # a FID
        self._select = b"\x00\xa4" + by + bytes((len(application),)) + application
        self._upper = tuple(upper)
        self._maintenance = maintenance
        self._connected = False
        self._signs: bool | None = None
        self._code = None if terminal_key is None else CMAC(AES(terminal_key))
        self.terminal = ""
        self._open()

    def __repr__(self) -> str:
        return f"<CardSam of terminal {self.terminal}>"

    @property
    def serial(self) -> int:
        """Return the last serial that the SAM gave out, as its EF 18 says."""
        return int.from_bytes(self._expect(_READ_SERIAL), "big")

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
        """Begin a purchase and return serial and MAC1; INIT_SAM_FOR_PURCHASE.

        ``card`` gives the factors that ``upper`` names. Raises ``KeyVersionUnknown``,
        ``SamAlgorithmMismatch``, ``SamSerialExhausted``, ``SamUnavailable``.
        """
        purchase = rnd4 + atc.to_bytes(2, "big") + amount_fen.to_bytes(4, "big") + bytes((tti,)) + datetime7
        data = purchase + bytes((key_version, algorithm)) + asn8 + self._above(card)
        answer = self._send(_INIT + bytes((len(data),)) + data + bytes((_ANSWER,)))
        status = answer[-2:]
        if status == _NO_VERSION:
            raise KeyVersionUnknown(purpose="purchase", version=key_version, usable="those loaded in the SAM")
        if status == _OTHER_ALGORITHM:
            raise SamAlgorithmMismatch(terminal=self.terminal, algorithm=algorithm, version=key_version)
        if status == _USED_UP:
            raise SamSerialExhausted(terminal=self.terminal)
        answer = self._fine(answer, "INIT_SAM_FOR_PURCHASE", _ANSWER)
        return int.from_bytes(answer[:4], "big"), answer[4:]

    def line_mac(self, card: CardIdentity, command: bytes, challenge: bytes) -> bytes:
        """Return the MAC of a command under the card's maintenance key; DELIVERY KEY, then DES CRYPT.

        Raises ``KeyVersionUnknown`` when the SAM was not given that key, and ``SamUnavailable``.
        """
        factors = card.asn8 + self._above(card)
        usage = len(factors) // _FACTOR << 5 | _MAINTENANCE
        ask = b"\x80\x1a" + bytes((usage, self._maintenance, len(factors))) + factors
        if self._send(ask)[-2:] != _OK:
            usable = "those loaded in the SAM"
            raise KeyVersionUnknown(purpose="maintenance", version=self._maintenance, usable=usable)
        blocks = challenge.ljust(_FACTOR, b"\0") + command + b"\x80"
        blocks += bytes(-len(blocks) % _FACTOR)
        start = _MAC_START
        while len(blocks) > _LONGEST:
            piece, blocks = blocks[:_LONGEST], blocks[_LONGEST:]
            more = b"\x80\xfa" + bytes((start | _MAC_MORE, 0, len(piece))) + piece
            self._fine(self._send(more, tries=1), "DES CRYPT", 0)
            start = 0
        last = b"\x80\xfa" + bytes((start | _MAC_END, 0, len(blocks))) + blocks + b"\x04"
        return self._fine(self._send(last, tries=1), "DES CRYPT", 4)

    def check_mac2(self, mac2: bytes) -> bool:
        """Say whether the card of the purchase under way made this MAC2; CREDIT_SAM_FOR_PURCHASE.

        Raises ``SamOutOfOrder`` without a purchase under way, and ``SamUnavailable`` when the SAM was lost
        since it began: nobody can check this MAC2 any more.
        """
        if not self._connected:
            raise SamUnavailable(terminal=self.terminal, problem="it was lost while a purchase was under way")
        answer = self._send(_CREDIT + bytes((len(mac2),)) + mac2, tries=1)
        status = answer[-2:]
        if status == _OUT_OF_ORDER:
            raise SamOutOfOrder(terminal=self.terminal)
        if status == _WRONG_MAC2 or status[0] == 0x63:  # noqa: PLR2004  # 6300, or tries that are left
            return False
        self._fine(answer, "CREDIT_SAM_FOR_PURCHASE", 0)
        return True

    def record_mac(self, data: bytes) -> bytes:
        """Return the leftmost 4 bytes of the AES-CMAC of a transaction record."""
        return self.sign_batch(data)[:4]

    def sign_batch(self, digest32: bytes) -> bytes:
        """Return the 16-byte AES-CMAC of a batch's digest: by the SAM's own key, or by ``terminal_key``."""
        if self._signs is None:
            self._signs = self._sign(b"\0")[-2:] == _OK
        if self._signs:
            return self._fine(self._sign(digest32), "SIGN", 16)
        if self._code is None:
            raise SamCannotSign(terminal=self.terminal)
        code = self._code.copy()
        code.update(digest32)
        return code.finalize()

    # ── inside ──

    def _above(self, card: CardIdentity | None) -> bytes:
        return b"".join(one if isinstance(one, bytes) else self._factor(one, card) for one in self._upper)

    def _factor(self, factor: Factor, card: CardIdentity | None) -> bytes:
        if card is None:
            problem = f"its SAM wants the {factor.value} of the card, which nobody gave"
            raise TerminalInvalid(terminal=self.terminal, problem=problem)
        return {Factor.CARD: card.asn8, Factor.ISSUER: card.issuer8, Factor.CITY: card.city8}[factor]

    def _sign(self, data: bytes) -> bytes:
        return self._send(_SIGN + bytes((len(data),)) + data + b"\x10")

    def _open(self) -> None:
        self._reader.connect()
        self._fine(self._transmit(_ROOT), "SELECT 3F00")
        number = self._fine(self._transmit(_READ_TERMINAL), "READ BINARY 16", 6).hex()
        if not _TERMINAL.fullmatch(number):
            raise SamTerminalInvalid(number=number)
        if self.terminal and number != self.terminal:
            raise SamUnavailable(
                terminal=self.terminal, problem=f"the SAM of terminal {number} is in its reader"
            )
        self.terminal = number
        self._fine(self._transmit(self._select), "SELECT")
        self._connected = True

    def _send(self, apdu: bytes, tries: int = _TRIES) -> bytes:
        # What is sent again changes nothing, or uses up a serial that nobody saw.
        for left in range(tries - 1, -1, -1):
            try:
                if not self._connected:
                    self._open()
                return self._transmit(apdu)
            except CardRemoved as lost:
                self._connected = False
                if not left:
                    raise SamUnavailable(terminal=self.terminal, problem=str(lost)) from None
        raise AssertionError

    def _transmit(self, apdu: bytes) -> bytes:
        return whole_answer(self._reader.transmit, apdu)

    def _expect(self, apdu: bytes) -> bytes:
        return self._fine(self._send(apdu), apdu[:4].hex().upper())

    def _fine(self, answer: bytes, command: str, size: int | None = None) -> bytes:
        data, status = answer[:-2], answer[-2:]
        if status != _OK or size not in {None, len(data)}:
            problem = f"it answered {status.hex().upper()} and {len(data)} bytes to {command}"
            raise SamUnavailable(terminal=self.terminal, problem=problem)
        return data
