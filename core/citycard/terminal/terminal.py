"""A terminal: its number, its SAM, the cards it serves, and the batch it hands in."""

from __future__ import annotations

import datetime as dt
import struct

from citycard.card.files import TRANSIT_PROFILE, CardProfile
from citycard.errors import TerminalInvalid
from citycard.terminal.acceptance import Acceptance
from citycard.terminal.batch import write_batch
from citycard.terminal.commands import bcd_moment
from citycard.terminal.journal import Journal
from citycard.terminal.load import LoadHost
from citycard.terminal.openbatch import OpenBatch
from citycard.terminal.reader import Reader
from citycard.terminal.record import FACTS_SIZE, RecordFlag, RecordPlan
from citycard.terminal.recovery import Verdict, debit_of
from citycard.terminal.sam import Sam
from citycard.terminal.session import PurseSession
from citycard.terminal.views import Debit, Outcome

__all__ = ["Terminal"]

# The same bytes as the layout TransactionRecord, up to its MAC; a test holds the two together.
_SIGNED = struct.Struct(f">BBBBH8s10sBBBHIII6sI7s4sIII{FACTS_SIZE}s")
_RESERVED = b"\0\0"


class Terminal:
    """Serve cards and keep their records until a batch is closed.

    ``config_number`` is the configuration in force, ``acceptance`` says which cards are served. ``journal``
    keeps torn debits, ``batch`` the records; give a FileJournal and a FileOpenBatch to a terminal that can
    lose its power. ``host`` grants loads. ``next_batch`` and ``next_sequence`` go on where an earlier life of
    a terminal ended that keeps its records in memory.
    """

    def __init__(
        self,
        number: str,
        sam: Sam,
        *,
        profile: CardProfile = TRANSIT_PROFILE,
        config_number: int = 1,
        acceptance: Acceptance | None = None,
        journal: Journal | None = None,
        host: LoadHost | None = None,
        batch: OpenBatch | None = None,
        next_batch: int = 1,
        next_sequence: int = 1,
    ) -> None:
        if sam.terminal != number:
            raise TerminalInvalid(terminal=number, problem=f"its SAM belongs to terminal {sam.terminal}")
        self.number = number
        self.profile = profile
        self.config_number = config_number
        self.acceptance = acceptance or Acceptance()
        self.journal = Journal() if journal is None else journal
        self._sam = sam
        self._host = host
        self._number6 = bytes.fromhex(number)
        self._batch = OpenBatch(next_batch, next_sequence) if batch is None else batch
        for torn in self.journal.open_debits():
            # The power went after the record was kept and before the note was dropped.
            if self._batch.holds(torn.asn, torn.serial):
                self.journal.remove(torn.asn)

    def __repr__(self) -> str:
        return f"<Terminal {self.number}, batch {self.next_batch}, {len(self._batch.records)} records>"

    @property
    def records(self) -> tuple[bytes, ...]:
        """Return the records of the open batch."""
        return tuple(self._batch.records)

    @property
    def next_batch(self) -> int:
        """Return the number of the open batch."""
        return self._batch.number

    @property
    def next_sequence(self) -> int:
        """Return the sequence number of the open batch's first record."""
        return self._batch.first_sequence

    def tap(self, reader: Reader, at: dt.datetime) -> PurseSession:
        """Open the card in a reader; what an earlier tap tore is recorded here, once (``view.recovered``).

        Raises CardRefused, CardRemoved and CommandFailed like PurseSession.open.
        """
        session = PurseSession(
            reader,
            self._sam,
            profile=self.profile,
            acceptance=self.acceptance,
            journal=self.journal,
            host=self._host,
        )
        view = session.open(at)
        mended = view.recovered or view.unresolved
        if mended is not None:
            self.record(mended)
        return session

    def record(self, debit: Debit, plan: RecordPlan | None = None) -> bytes:
        """Make, sign and keep the record of a debit; ``plan`` overrides the debit's own.

        Record a debit before the next card is served: until then its note stays in the journal.
        """
        record = self._signed(debit, plan or debit.plan)
        self._batch.add(record)
        self.journal.remove(debit.asn)
        return record

    def _signed(self, debit: Debit, plan: RecordPlan) -> bytes:
        flags = RecordFlag.RECOVERED * (debit.recovered and debit.outcome is Outcome.DONE)
        flags |= RecordFlag.TRANSFER * plan.transfer | RecordFlag.UNPROVEN * (not debit.tac)
        signed = _SIGNED.pack(
            1,
            plan.kind,
            debit.tti,
            flags,
            plan.service,
            bytes.fromhex(debit.issuer),
            bytes.fromhex(debit.asn),
            debit.card_kind,
            debit.key_version,
            debit.algorithm,
            debit.counter,
            debit.balance_before_fen,
            debit.amount_fen,
            debit.balance_after_fen,
            self._number6,
            debit.terminal_serial,
            bcd_moment(debit.at),
            debit.tac or bytes(4),
            self.config_number,
            self.acceptance.blacklist_number,
            plan.list_price_fen,
            plan.facts,
        )
        return signed + self._sam.record_mac(signed) + _RESERVED

    def hand_in_open(self, before: dt.datetime) -> int:
        """Record, as unproven, the torn debits made before ``before`` whose cards did not return.

        Returns how many. Clearing keeps such a record in suspense until the card's own counter shows,
        elsewhere, how it ended.
        """
        left = [torn for torn in self.journal.open_debits() if torn.at < before]
        for torn in left:
            self.record(debit_of(torn, Verdict(outcome=Outcome.UNKNOWN), recovered=True))
        return len(left)

    def close_batch(self, business_date: dt.date, created_at: dt.datetime) -> bytes | None:
        """Write the open batch as a file and begin the next one; None when there is nothing to hand in."""
        if not self._batch.records:
            return None
        data = write_batch(
            self.number,
            self.next_batch,
            self.next_sequence,
            self._batch.records,
            self._sam,
            created_at,
            business_date,
        )
        self._batch.close(data)
        return data
