"""The passbook 电子存折 at a counter, and the unload 圈提 that gives its money back (docs/terminal.md).

The host that takes the money back answers like a load host: ``begin`` checks MAC1 and gives MAC2, ``confirm``
takes MAC3, ``reverse`` learns that nothing was taken off. A torn unload is mended when the card is opened
again.
"""

from __future__ import annotations

import datetime as dt

import attrs

from citycard.card.codec import decode
from citycard.card.enums import FileKind
from citycard.card.files import CardProfile, LogRecord, TransactionType
from citycard.errors import CardRefused, CodecError, CommandFailed, TerminalInvalid
from citycard.terminal.commands import Proof, PurseCommands, bcd_moment
from citycard.terminal.identity import identity
from citycard.terminal.load import LoadHost
from citycard.terminal.notes import Note, Notes
from citycard.terminal.reader import Reader
from citycard.terminal.views import Outcome

__all__ = ["PassbookSession", "PassbookView", "Unload"]

_FID = 0x01
_LOG_RECORDS = 10
_COUNTERS = 1 << 16
_UNLOAD = int(TransactionType.UNLOAD)


@attrs.frozen(kw_only=True)
class Unload:
    """An unload that the card has made, proven by ``mac3``; that is empty when only the log shows it."""

    asn: str
    counter: int
    amount_fen: int
    balance_after_fen: int
    mac3: bytes = attrs.field(repr=False)
    terminal: str
    at: dt.datetime
    recovered: bool = False
    outcome: Outcome = Outcome.DONE


@attrs.frozen(kw_only=True)
class PassbookView:
    """What a counter knows of a card. ``recovered`` is an unload of its own whose end it had not seen."""

    asn: str
    balance_fen: int
    limit_fen: int
    recovered: Unload | None = None


class _Commands(PurseCommands):
    __slots__ = ()

    def passbook(self, question: int) -> int:
        apdu = b"\x80\x5c" + bytes((question, _FID, 4))
        return int.from_bytes(self._send(apdu, "GET BALANCE")[:4], "big") & 0x7FFFFFFF

    def initialise_unload(self, amount_fen: int) -> bytes:
        body = (self.profile.load_key << 32 | amount_fen).to_bytes(5, "big") + self._terminal
        return self._send(b"\x80\x50\x05\x01\x0b" + body + b"\x10", "INITIALIZE FOR UNLOAD")

    def debit_for_unload(self, at7: bytes, mac2: bytes) -> bytes:
        return self._send(b"\x80\x54\x03\x00\x0b" + at7 + mac2 + b"\x04", "DEBIT FOR UNLOAD")


class PassbookSession:
    """Serve the passbook of the card in one reader, of which ``profile`` says that it has one.

    Raises TerminalInvalid for a profile without passbook.
    """

    def __init__(
        self,
        reader: Reader,
        host: LoadHost,
        *,
        terminal: str,
        profile: CardProfile,
        notes: Notes | None = None,
    ) -> None:
        if not any(file.fid == _FID and file.kind is FileKind.PURSE for file in profile.files):
            raise TerminalInvalid(
                terminal=terminal, problem=f"cards of profile {profile.name} have no passbook"
            )
        self._card = _Commands(reader, profile, terminal)
        self._host = host
        self._terminal = terminal
        self._profile = profile
        self._notes = Notes() if notes is None else notes
        self._view: PassbookView | None = None

    def open(self) -> PassbookView:
        """Select the card, mend a torn unload, and read the passbook. Raises CardRefused, CardRemoved."""
        self._view = None
        self._card.select()
        asn = identity(self._card).asn
        if self._profile.load_needs_pin:
            self._card.verify_pin(self._profile.pin)
        recovered = self._mend(asn)
        balance_fen, limit_fen = self._card.passbook(0), self._card.passbook(1)
        self._view = PassbookView(asn=asn, balance_fen=balance_fen, limit_fen=limit_fen, recovered=recovered)
        return self._view

    def unload(self, amount_fen: int, at: dt.datetime) -> Unload:
        """Take money off the passbook and give it to the host.

        Raises CardRefused (funds, key), LoadRefused when the host does not want it, and CardRemoved when the
        end is open: open the card again.
        """
        if self._view is None:
            raise TerminalInvalid(terminal=self._terminal, problem="no card is open: call open() first")
        answer = self._card.initialise_unload(amount_fen)
        note = Note(
            asn=self._view.asn,
            tti=_UNLOAD,
            counter=int.from_bytes(answer[4:6], "big"),
            amount_fen=amount_fen,
            balance_before_fen=int.from_bytes(answer[:4], "big"),
            serial=0,
            terminal=self._terminal,
            at=at.replace(microsecond=0),
        )
        mac2 = self._host.begin(
            note.asn,
            answer[6],
            note.balance_before_fen,
            note.counter,
            answer[8:12],
            answer[12:16],
            amount_fen,
            self._terminal,
            note.at,
        )
        self._notes.note(note)
        try:
            mac3 = self._card.debit_for_unload(bcd_moment(note.at), mac2)[:4]
        except (CommandFailed, CardRefused):
            self._refuse(note)
            raise
        return self._confirm(note, mac3, recovered=False)

    def prove(self, tti: int, counter: int) -> Proof | None:
        """Ask the card for the MAC and TAC of a transaction by INITIALIZE's counter, or get none."""
        return self._card.prove(tti, counter)

    def _mend(self, asn: str) -> Unload | None:
        note = self._notes.find(asn)
        if note is None:
            return None
        now = int.from_bytes(self._card.initialise_unload(0)[4:6], "big")
        ours = None if now == note.counter else self._logged(note)
        if now == note.counter or ours is False:
            self._refuse(note)
            return None
        proof = self._card.prove(_UNLOAD, note.counter)
        if proof is not None or ours:
            return self._confirm(note, b"" if proof is None else proof.tac, recovered=True)
        self._notes.remove(asn)  # the host keeps it as pending, and the card's next balance settles it
        return attrs.evolve(_unload(note, b"", recovered=True), outcome=Outcome.UNKNOWN)

    def _logged(self, note: Note) -> bool | None:
        wanted = (note.counter + int(self._profile.log_after_increment)) % _COUNTERS
        for number in range(1, _LOG_RECORDS + 1):
            try:
                line = decode(LogRecord, self._card.read_record(self._profile.log_sfi, number))
            except (CardRefused, CommandFailed):
                return None
            except CodecError:
                continue
            if (line.counter, line.tti) == (wanted, _UNLOAD):
                found = (line.terminal, line.amount_fen, line.at)
                return found == (note.terminal, note.amount_fen, note.at)
        return None

    def _confirm(self, note: Note, mac3: bytes, *, recovered: bool) -> Unload:
        self._host.confirm(note.asn, note.counter, mac3)
        self._notes.remove(note.asn)
        return _unload(note, mac3, recovered=recovered)

    def _refuse(self, note: Note) -> None:
        self._host.reverse(note.asn, note.counter)
        self._notes.remove(note.asn)


def _unload(note: Note, mac3: bytes, *, recovered: bool) -> Unload:
    return Unload(
        asn=note.asn,
        counter=note.counter,
        amount_fen=note.amount_fen,
        balance_after_fen=note.balance_before_fen - note.amount_fen,
        mac3=mac3,
        terminal=note.terminal,
        at=note.at,
        recovered=recovered,
    )
