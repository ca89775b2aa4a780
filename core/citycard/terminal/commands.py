"""The purse commands as a terminal sends them: bytes built here, answers cut here, nothing decided here.

Command and answer layouts: docs/card.md ("Commands") after PBOC and JT/T 978. All integers big-endian.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import attrs

from citycard.card.files import CardFile, CardProfile
from citycard.card.profiles import CARD_PROFILES
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
_LOCK_PROOF = b"\xe0\xca\x00\x00\x1e"
_GREY_LOCKED = 0x01
_CHALLENGE = b"\x00\x84\x00\x00\x04"
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


def _select(name: bytes) -> bytes:
    return b"\x00\xa4\x04\x00" + bytes((len(name),)) + name + b"\x00"


def _read(file: CardFile) -> bytes:
    return bytes((0x00, 0xB0, 0x80 | file.sfi, 0, file.size))


@attrs.frozen(kw_only=True)
class Proof:
    """What GET TRANSACTION PROVE gives: the MAC and the TAC of a transaction that was done."""

    mac: bytes = attrs.field(repr=False)
    tac: bytes = attrs.field(repr=False)


class PurseCommands:
    """Send the commands of one terminal to the card in one reader.

    Every method raises CardRemoved when the card is gone, CardRefused or CommandFailed when it says no.
    """

    __slots__ = ("_connect", "_root", "_select", "_terminal", "_transmit", "profile")

    def __init__(self, reader: Reader, profile: CardProfile, terminal: str) -> None:
        self._connect = reader.connect
        self._transmit = reader.transmit
        self.profile = profile
        self._root: dict[int, bytes] = {}
        self._terminal = bytes.fromhex(terminal)
        self._select = _select(profile.aid)

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
        """Power the card up and select the purse application; read of the master file what its make needs."""
        self._connect()
        if self.profile.identity_root:
            self._read_root()
        answer = self._transmit(self._select)
        if answer[-2:] == _SILENT:
            raise refuse(Refusal.CARD_BLOCKED)  # a blocked application still answers SELECT
        if answer[-2:] != _OK:
            reason = _REFUSALS.get(answer[-2:])
            raise refuse(reason or (Refusal.OTHER_MAKE if self._is_other_make() else Refusal.NO_PURSE))

    def _read_root(self) -> None:
        self._root = {}
        for file in self.profile.root_files:
            if file.fid in self.profile.identity_root:
                answer = self._transmit(_read(file))
                if answer[-2:] == _OK:
                    self._root[file.fid] = answer[:-2]

    def _is_other_make(self) -> bool:
        names = {other.aid for other in CARD_PROFILES.values()} - {self.profile.aid}
        return any(self._transmit(_select(name))[-2:] == _OK for name in sorted(names))

    def identity_files(self) -> dict[int, bytes]:
        """Read the files in which cards of this make say who they are, by file id; ``select`` first."""
        files, profile = self._root, self.profile
        if len(files) < len(profile.identity_root):
            raise CommandFailed(status_word="6A82", command="READ BINARY of the master file")
        return files | {
            fid: self._send(_read(profile.file(fid)), f"READ BINARY {fid:02X}")
            for fid in profile.identity_files
        }

    def balance(self) -> int:
        """Return the balance in fen; bit 31 is a flag on some cards and left out."""
        return int.from_bytes(self._send(_BALANCE, "GET BALANCE")[:4], "big") & _BALANCE_MASK

    def read_record(self, sfi: int, number: int) -> bytes:
        """Read a whole record by its number, counted from 1."""
        apdu = bytes((0x00, 0xB2, number, sfi << 3 | 4, 0))
        return self._send(apdu, f"READ RECORD {number} of {sfi:02X}")

    def initialise(self, head: bytes, amount_fen: int) -> bytes:
        """Begin a purchase: balance(4) counter(2) limit(3) key version(1) algorithm(1) random(4)."""
        key = self.profile.purchase_key
        body = (key << 32 | amount_fen).to_bytes(5, "big") + self._terminal
        return self._send(head + body + b"\x0f", "INITIALIZE FOR PURCHASE")

    def update_cache(
        self,
        sfi: int,
        record: int,
        data: bytes,
        *,
        append: bool,
        mac: Callable[[bytes, bytes], bytes] | None = None,
    ) -> None:
        """Put a record into the card's cache; the debit that follows commits it.

        ``mac`` gives the four bytes for a command and the card's challenge, for cards that want them.
        """
        where = bytes((0, sfi << 3)) if append else bytes((record, sfi << 3 | 4))
        if mac is None:
            self._send(b"\x80\xdc" + where + bytes((len(data),)) + data, "UPDATE CAPP DATA CACHE")
            return
        challenge = self._send(_CHALLENGE, "GET CHALLENGE")
        command = b"\x84\xdc" + where + bytes((len(data) + 4,)) + data
        self._send(command + mac(command, challenge), "UPDATE CAPP DATA CACHE")

    def is_grey_locked(self) -> bool:
        """Say whether a fuel pump locked the card, of one that refused to begin a transaction."""
        answer = self._transmit(_LOCK_PROOF)
        return answer[-2:] == _OK and answer[0] == _GREY_LOCKED

    def debit(self, serial: int, at7: bytes, mac1: bytes) -> bytes:
        """Take the money: TAC(4) MAC2(4). Past this command the outcome is open until the answer is here."""
        apdu = _DEBIT + serial.to_bytes(4, "big") + at7 + mac1 + b"\x08"
        return self._send(apdu, "DEBIT FOR PURCHASE")

    def initialise_load(self, amount_fen: int) -> bytes:
        """Begin a load: balance(4) online counter(2) key version(1) algorithm(1) random(4) MAC1(4)."""
        body = (self.profile.load_key << 32 | amount_fen).to_bytes(5, "big") + self._terminal
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
        wanted = (counter + self.profile.prove_offset) & 0xFFFF
        answer = self._transmit(b"\x80\x5a\x00" + bytes((tti, 2)) + wanted.to_bytes(2, "big") + b"\x08")
        proof = answer[:-2]
        # Some cards add the status word 6C08 to a complete answer instead of 9000.
        if answer[-2:] in {_OK, b"\x6c\x08"} and len(proof) == 8:  # noqa: PLR2004
            return Proof(mac=proof[:4], tac=proof[4:])
        return None
