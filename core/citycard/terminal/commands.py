"""The purse commands as a terminal sends them: bytes built here, answers cut here, nothing decided here.

Command and answer layouts: docs/card.md ("Commands") after PBOC and JT/T 978. All integers big-endian.
"""

from __future__ import annotations

import datetime as dt

import attrs

from citycard.card.files import CardProfile
from citycard.errors import CardRefused, CommandFailed
from citycard.terminal.acceptance import Refusal, refuse
from citycard.terminal.reader import Reader

__all__ = ["INIT_COMPOSITE", "INIT_PURCHASE", "Proof", "PurseCommands", "bcd_moment"]

INIT_PURCHASE = b"\x80\x50\x01\x02\x0b"
INIT_COMPOSITE = b"\x80\x50\x03\x02\x0b"
_INIT_LOAD = b"\x80\x50\x00\x02\x0b"
_CREDIT = b"\x80\x52\x00\x00\x0b"
_DEBIT = b"\x80\x54\x01\x00\x0f"
_BALANCE = b"\x80\x5c\x00\x02\x04"
_READ_APPLICATION = b"\x00\xb0\x95\x00\x1e"
_READ_MANAGEMENT = b"\x00\xb0\x97\x00\x3c"
_OK, _SILENT = b"\x90\x00", b"\x6a\x81"
_DASHES = str.maketrans("", "", "-T:")
_BALANCE_MASK = 0x7FFFFFFF
_REFUSALS = {
    b"\x94\x01": Refusal.FUNDS,
    b"\x94\x03": Refusal.KEY,
    b"\x6a\x81": Refusal.BLOCKED,
    b"\x93\x03": Refusal.LOCKED,
    b"\x62\x83": Refusal.BLOCKED,
}


def bcd_moment(at: dt.datetime) -> bytes:
    """Write a local time as seven BCD bytes ``YYYYMMDDHHMMSS``; fractions of a second are left out."""
    return bytes.fromhex(at.isoformat(timespec="seconds").translate(_DASHES))


@attrs.frozen(kw_only=True)
class Proof:
    """What GET TRANSACTION PROVE gives: the MAC and the TAC of a transaction that was done."""

    mac: bytes = attrs.field(repr=False)
    tac: bytes = attrs.field(repr=False)


class PurseCommands:
    """Send the commands of one terminal to the card in one reader.

    Every method raises CardRemoved when the card is gone, CardRefused or CommandFailed when it says no.
    """

    __slots__ = ("_connect", "_profile", "_select", "_terminal", "_transmit")

    def __init__(self, reader: Reader, profile: CardProfile, terminal: str) -> None:
        self._connect = reader.connect
        self._transmit = reader.transmit
        self._profile = profile
        self._terminal = bytes.fromhex(terminal)
        self._select = b"\x00\xa4\x04\x00" + bytes([len(profile.aid)]) + profile.aid + b"\x00"

    def _send(self, apdu: bytes, command: str) -> bytes:
        answer = self._transmit(apdu)
        if answer[-2:] != _OK:
            raise self._failure(answer[-2:], command)
        return answer[:-2]

    @staticmethod
    def _failure(status: bytes, command: str) -> CardRefused | CommandFailed:
        reason = _REFUSALS.get(status)
        if reason is not None:
            return refuse(reason)
        return CommandFailed(status_word=status.hex().upper(), command=command)

    def select(self) -> None:
        """Power the card up and select the purse application."""
        self._connect()
        answer = self._transmit(self._select)
        if answer[-2:] == _SILENT:
            raise refuse(Refusal.CARD_BLOCKED)  # a blocked application still answers SELECT
        if answer[-2:] != _OK:
            raise refuse(_REFUSALS.get(answer[-2:], Refusal.NO_PURSE))

    def read_application(self) -> bytes:
        """Read EF 15."""
        return self._send(_READ_APPLICATION, "READ BINARY 15")

    def read_management(self) -> bytes:
        """Read EF 17."""
        return self._send(_READ_MANAGEMENT, "READ BINARY 17")

    def balance(self) -> int:
        """Return the balance in fen; bit 31 is a flag on some cards and left out."""
        return int.from_bytes(self._send(_BALANCE, "GET BALANCE")[:4], "big") & _BALANCE_MASK

    def read_record(self, sfi: int, number: int) -> bytes:
        """Read a whole record by its number, counted from 1."""
        apdu = bytes((0x00, 0xB2, number, sfi << 3 | 4, 0))
        return self._send(apdu, f"READ RECORD {number} of {sfi:02X}")

    def initialise(self, head: bytes, amount_fen: int) -> bytes:
        """Begin a purchase: balance(4) counter(2) limit(3) key version(1) algorithm(1) random(4)."""
        key = self._profile.purchase_key
        body = (key << 32 | amount_fen).to_bytes(5, "big") + self._terminal
        return self._send(head + body + b"\x0f", "INITIALIZE FOR PURCHASE")

    def update_cache(self, sfi: int, record: int, data: bytes, *, append: bool) -> None:
        """Put a record into the card's cache; the debit that follows commits it."""
        where = bytes((0, sfi << 3)) if append else bytes((record, sfi << 3 | 4))
        self._send(b"\x80\xdc" + where + bytes((len(data),)) + data, "UPDATE CAPP DATA CACHE")

    def debit(self, serial: int, at7: bytes, mac1: bytes) -> bytes:
        """Take the money: TAC(4) MAC2(4). Past this command the outcome is open until the answer is here."""
        apdu = _DEBIT + serial.to_bytes(4, "big") + at7 + mac1 + b"\x08"
        return self._send(apdu, "DEBIT FOR PURCHASE")

    def initialise_load(self, amount_fen: int) -> bytes:
        """Begin a load: balance(4) online counter(2) key version(1) algorithm(1) random(4) MAC1(4)."""
        body = (self._profile.load_key << 32 | amount_fen).to_bytes(5, "big") + self._terminal
        return self._send(_INIT_LOAD + body + b"\x10", "INITIALIZE FOR LOAD")

    def credit(self, at7: bytes, mac2: bytes) -> bytes:
        """Put the money on the card: TAC(4)."""
        return self._send(_CREDIT + at7 + mac2 + b"\x04", "CREDIT FOR LOAD")

    def verify_pin(self, pin: str) -> None:
        """Present the PIN, for profiles whose loads need it. Never repeated: three failures lock it."""
        digits = pin.encode("ascii")
        self._send(b"\x00\x20\x00\x00" + bytes((len(digits),)) + digits, "VERIFY PIN")

    def prove(self, tti: int, counter: int) -> Proof | None:
        """Ask for the proof of a transaction, or None when the card has none."""
        wanted = (counter + self._profile.prove_offset) & 0xFFFF
        answer = self._transmit(b"\x80\x5a\x00" + bytes((tti, 2)) + wanted.to_bytes(2, "big") + b"\x08")
        proof = answer[:-2]
        # Some cards add the status word 6C08 to a complete answer instead of 9000.
        if answer[-2:] in {_OK, b"\x6c\x08"} and len(proof) == 8:  # noqa: PLR2004
            return Proof(mac=proof[:4], tac=proof[4:])
        return None
