"""A SAM in a reader: the same work as ``SoftSam``, asked of a PSAM by APDUs (docs/sam.md)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from citycard.errors import (
    CardRemoved,
    KeyVersionUnknown,
    SamAlgorithmMismatch,
    SamCannotSign,
    SamOutOfOrder,
    SamSerialExhausted,
    SamTerminalInvalid,
    SamUnavailable,
)
from citycard.terminal.answering import whole_answer
from citycard.terminal.reader import Reader

__all__ = ["CardSam"]

_OK, _WRONG_MAC2, _OUT_OF_ORDER = b"\x90\x00", b"\x93\x02", b"\x69\x01"
_NO_VERSION, _USED_UP, _OTHER_ALGORITHM = b"\x94\x03", b"\x94\x02", b"\x69\x81"
_ROOT = bytes.fromhex("00A40000023F00")
_READ_TERMINAL, _READ_SERIAL = bytes.fromhex("00B0960006"), bytes.fromhex("00B0980004")
_INIT, _CREDIT, _SIGN = b"\x80\x70\x00\x00", b"\x80\x72\x00\x00", b"\x80\xf8\x00\x00"
_TERMINAL = re.compile(r"[0-9]{12}")
_ANSWER, _TRIES = 8, 2


class CardSam:
    """Be the SAM of a terminal by a PSAM in ``reader``, in process or PC/SC.

    ``application`` is the AID, or the two bytes of the FID, of its application. ``upper`` are the factors
    above the card's own: none where cards are diversified once, the issuer's 8 bytes for two levels. A PSAM
    without our signature command needs ``terminal_key``, 16 bytes kept in software.

    The PSAM counts its serial itself. A connection that was lost is made again at the next command; another
    terminal's SAM in the reader is refused.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        application: bytes = bytes.fromhex("A0000006324D4F542E435053414D3031"),
        upper: Sequence[bytes] = (),
        terminal_key: bytes | None = None,
    ) -> None:
        self._reader = reader
        by = b"\x00\x00" if len(application) == 2 else b"\x04\x00"  # noqa: PLR2004  # a FID
        self._select = b"\x00\xa4" + by + bytes((len(application),)) + application
        self._upper = b"".join(upper)
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
    ) -> tuple[int, bytes]:
        """Begin a purchase and return serial and MAC1; INIT_SAM_FOR_PURCHASE.

        Raises ``KeyVersionUnknown``, ``SamAlgorithmMismatch``, ``SamSerialExhausted``, ``SamUnavailable``.
        """
        purchase = rnd4 + atc.to_bytes(2, "big") + amount_fen.to_bytes(4, "big") + bytes((tti,)) + datetime7
        data = purchase + bytes((key_version, algorithm)) + asn8 + self._upper
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
