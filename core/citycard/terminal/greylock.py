"""A fuel pump and one card: lock before the pump runs, debit and unlock after it (docs/terminal.md).

The lock is the card's promise to pay. Whatever is torn is mended when the card is opened again, from GET LOCK
PROOF, the log, and GET TRANSACTION PROVE.
"""

from __future__ import annotations

import contextlib
import datetime as dt

import attrs

from citycard.card.codec import decode
from citycard.card.files import TRANSIT_PROFILE, CardProfile, LogRecord, TransactionType
from citycard.errors import (
    CardRefused,
    CodecError,
    CommandFailed,
    GreyLockInvalid,
    KeyVersionUnknown,
    SamOutOfOrder,
)
from citycard.terminal.acceptance import Acceptance, Refusal, refuse
from citycard.terminal.commands import PurseCommands, bcd_moment
from citycard.terminal.greysam import GreySam
from citycard.terminal.greyviews import GreyCard, GreyDebit, GreyLock, GreyStatus, LockProof, PurseChoice
from citycard.terminal.identity import identity
from citycard.terminal.notes import Note, Notes
from citycard.terminal.reader import Reader
from citycard.terminal.views import Outcome

__all__ = ["GreyLockSession"]

_LOG_RECORDS = 10


_LOCK = {
    PurseChoice.PASSBOOK: TransactionType.GREY_LOCK_PASSBOOK,
    PurseChoice.PURSE: TransactionType.GREY_LOCK,
}
_UNLOCK = {PurseChoice.PASSBOOK: TransactionType.UNLOCK_PASSBOOK, PurseChoice.PURSE: TransactionType.UNLOCK}


class _Commands(PurseCommands):
    __slots__ = ("_p2",)

    def __init__(self, reader: Reader, profile: CardProfile, terminal: str, choice: PurseChoice) -> None:
        super().__init__(reader, profile, terminal)
        self._p2 = bytes((choice,))

    def purse_balance(self) -> int:
        answer = self._send(b"\x80\x5c\x00" + self._p2 + b"\x04", "GET BALANCE")
        return int.from_bytes(answer[:4], "big") & 0x7FFFFFFF

    def lock_proof(self, *, clear: bool = False) -> LockProof:
        return LockProof.of(self._send(b"\xe0\xca" + bytes((clear,)) + b"\x00\x1e", "GET LOCK PROOF"))

    def initialise_lock(self) -> bytes:
        data = bytes((self.profile.purchase_key,)) + self._terminal
        return self._send(b"\xe0\x7a\x08" + self._p2 + b"\x07" + data + b"\x0f", "INITIALIZE FOR GREY LOCK")

    def lock(self, serial: int, random4: bytes, at7: bytes, mac1: bytes) -> bytes:
        data = serial.to_bytes(4, "big") + random4 + at7 + mac1
        return self._send(b"\xe0\x7c\x08\x00\x13" + data + b"\x08", "GREY LOCK")

    def debit_for_unlock(self, note: Note, gmac: bytes) -> bytes:
        data = note.amount_fen.to_bytes(4, "big") + note.counter.to_bytes(2, "big") + self._terminal
        data += note.serial.to_bytes(4, "big") + bcd_moment(note.at) + gmac
        return self._send(b"\xe0\x7e\x08" + self._p2 + b"\x1b" + data + b"\x04", "DEBIT FOR UNLOCK")


class GreyLockSession:
    """Sell fuel to the card in one reader: ``open``, ``grey_lock``, and when the pump has stopped ``unlock``.

    ``notes`` outlive the session: a note stays until ``settle`` says that the sale is recorded.
    """

    def __init__(
        self,
        reader: Reader,
        sam: GreySam,
        *,
        profile: CardProfile = TRANSIT_PROFILE,
        purse: PurseChoice = PurseChoice.PURSE,
        acceptance: Acceptance | None = None,
        notes: Notes | None = None,
    ) -> None:
        self._card = _Commands(reader, profile, sam.terminal, purse)
        self._sam = sam
        self._profile = profile
        self._acceptance = acceptance or Acceptance()
        self._notes = Notes() if notes is None else notes
        self._lock_tti, self._unlock_tti = int(_LOCK[purse]), int(_UNLOCK[purse])
        self._view: GreyCard | None = None

    def open(self, at: dt.datetime) -> GreyCard:
        """Select the card, mend what was torn, and say whether it is locked.

        A locked card is served whatever its dates say, because it owes. Raises CardRefused, CardRemoved,
        CommandFailed.
        """
        self._view = None
        self._card.select()
        who = identity(self._card)
        asn = who.asn
        proof = self._card.lock_proof()
        recovered = self._mend(asn, proof)
        if proof.status is not GreyStatus.LOCKED and recovered is None:
            self._acceptance.check(who, at.date())
        self._view = GreyCard(
            asn=asn,
            asn8=who.asn8,
            balance_fen=self._card.purse_balance(),
            lock=GreyLock.of(asn, proof) if proof.status is GreyStatus.LOCKED else None,
            recovered=recovered,
        )
        return self._view

    def grey_lock(self, at: dt.datetime) -> GreyLock:
        """Lock the card: from now on it owes what the pump will say.

        Raises GreyLockInvalid when it is locked, CardRefused, CardRemoved (open it again: it tells).
        """
        view = self._opened()
        if view.lock is not None:
            raise GreyLockInvalid(asn=view.asn, problem="it is locked already: debit and unlock it first")
        answer = self._card.initialise_lock()
        balance_fen, counter = int.from_bytes(answer[:4], "big"), int.from_bytes(answer[4:6], "big")
        at7 = bcd_moment(at)
        try:
            serial, random4, mac1 = self._sam.init_for_grey_lock(
                answer[11:15], counter, balance_fen, self._lock_tti, at7, answer[9], answer[10], view.asn8
            )
        except KeyVersionUnknown:
            raise refuse(Refusal.KEY) from None
        self._notes.note(self._note(view.asn, self._lock_tti, counter, 0, balance_fen, serial, at))
        try:
            codes = self._card.lock(serial, random4, at7, mac1)
        except (CommandFailed, CardRefused):
            self._notes.remove(view.asn)
            raise
        if not self._sam.certify_grey_lock(codes[4:8]):
            self._notes.remove(view.asn)
            raise refuse(Refusal.NOT_GENUINE)
        lock = GreyLock(
            asn=view.asn,
            counter=counter,
            balance_fen=balance_fen,
            terminal=self._sam.terminal,
            gtac=codes[:4],
        )
        self._view = attrs.evolve(view, lock=lock)
        return lock

    def unlock(self, amount_fen: int, at: dt.datetime) -> GreyDebit:
        """Debit the locked card and unlock it; 0 fen when nothing was sold.

        Raises GreyLockInvalid when it is not locked, GreyLockUnknown when this SAM did not lock it,
        CardRefused, and CardRemoved when the end is open: open the card again, and it tells.
        """
        view = self._opened()
        if view.lock is None:
            raise GreyLockInvalid(asn=view.asn, problem="it is not locked: lock it before the pump runs")
        if not 0 <= amount_fen <= view.lock.balance_fen:
            problem = f"{amount_fen} fen cannot be debited: expected 0 to {view.lock.balance_fen}"
            raise GreyLockInvalid(asn=view.asn, problem=problem)
        counter = view.lock.counter
        serial, gmac = self._sam.gmac(self._unlock_tti, view.asn8, counter, amount_fen)
        note = self._note(view.asn, self._unlock_tti, counter, amount_fen, view.balance_fen, serial, at)
        self._notes.note(note)
        try:
            tac = self._card.debit_for_unlock(note, gmac)
        except (CommandFailed, CardRefused):
            self._notes.remove(view.asn)
            raise
        self._view = attrs.evolve(view, lock=None, balance_fen=view.balance_fen - amount_fen)
        return GreyDebit.of(note, tac)

    def settle(self) -> None:
        """Forget the note of the opened card, because its sale is recorded; clear the card's unread TAC."""
        view = self._opened()
        self._notes.remove(view.asn)
        if view.lock is None:
            self._card.lock_proof(clear=True)

    def _opened(self) -> GreyCard:
        if self._view is None:
            raise GreyLockInvalid(asn="unknown", problem="no card is open: call open() first")
        return self._view

    def _note(
        self, asn: str, tti: int, counter: int, amount_fen: int, balance: int, serial: int, at: dt.datetime
    ) -> Note:
        return Note(
            asn=asn,
            tti=tti,
            counter=counter,
            amount_fen=amount_fen,
            balance_before_fen=balance,
            serial=serial,
            terminal=self._sam.terminal,
            at=at.replace(microsecond=0),
        )

    # ── mending ──────────────────────────────────────────────────────────────────────────────────

    def _mend(self, asn: str, proof: LockProof) -> GreyDebit | None:
        note = self._notes.find(asn)
        if note is None:
            return None
        if note.tti == self._lock_tti:
            self._mend_lock(note, proof)
            return None
        if proof.status is GreyStatus.LOCKED and proof.counter == note.counter:
            self._notes.remove(asn)  # it was not done: unlock() can be called again
            return None
        ours = self._logged(note)
        if ours is False:
            self._notes.remove(asn)  # another pump or the issuer ended this sale
            return None
        proved = self._card.prove(note.tti, note.counter)
        tac = proof.tac if proof.status is GreyStatus.TAC_UNREAD else (proved.tac if proved else b"")
        outcome = Outcome.DONE if ours or tac else Outcome.UNKNOWN
        return GreyDebit.of(note, tac if outcome is Outcome.DONE else b"", outcome, recovered=True)

    def _mend_lock(self, note: Note, proof: LockProof) -> None:
        if proof.status is GreyStatus.LOCKED and proof.counter == note.counter:
            # The answer with MAC2 was torn off, and the SAM may still be waiting for it.
            with contextlib.suppress(SamOutOfOrder):
                self._sam.certify_grey_lock(proof.mac2)
        self._notes.remove(note.asn)

    def _logged(self, note: Note) -> bool | None:
        wanted = (note.counter + int(self._profile.log_after_increment)) & 0xFFFF
        for number in range(1, _LOG_RECORDS + 1):
            try:
                line = decode(LogRecord, self._card.read_record(self._profile.log_sfi, number))
            except (CardRefused, CommandFailed):
                return None
            except CodecError:
                continue
            if (line.counter, line.tti) == (wanted, note.tti):
                found = (line.terminal, line.amount_fen, line.at)
                return found == (note.terminal, note.amount_fen, note.at)
        return None
