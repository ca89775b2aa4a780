"""The operator's own terminal: one load or purchase at a reader, its state in files of the city's folder.

``terminals/NUMBER`` holds the journal of torn cards, the last serial of the SAM, and every batch that was
made, one for each purchase. The last of them says where the next goes on.
"""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import attrs

from citycard import registry
from citycard.city.configuration import require_on, served_issuers
from citycard.errors import TerminalInvalid
from citycard.files import write_whole
from citycard.store import reading
from citycard.terminal import Acceptance, FileJournal, Journal, RecordPlan, Terminal, read_batch, read_record
from citycard.terminal.load import Load
from citycard.terminal.reader import Reader
from citycard.terminal.views import Debit

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.clearing.codes import Code
    from citycard.wallet.topup import TopUpDesk

__all__ = ["Handheld", "Paid"]

_NO_PLAN = RecordPlan()


@attrs.frozen(kw_only=True)
class Paid:
    """A purchase and the batch file that holds its record; ``recovered`` when an earlier tap had made it.

    ``earlier`` is another purchase of the card whose end nobody had seen, with a batch file of its own:
    ``debit.outcome`` says whether it was done, or nobody can tell any more.
    """

    debit: Debit
    batch: Path
    earlier: Paid | None = None


class Handheld:
    """Be the terminal ``number`` for a moment; RegistryMissing when the city has none of this number.

    Use it as a context. Raises TerminalInvalid while another process is the same terminal. ``earlier`` is
    what the last ``pay`` found of another purchase, also when it raised then.
    """

    def __init__(self, city: City, number: str, *, agent: str = "") -> None:
        with reading(city.engine) as conn:
            self._partner = registry.find_partner(conn, registry.find_terminal(conn, number).partner)
            blacklist = registry.blacklist_number(conn)
            listed = registry.blacklist_at(conn, blacklist)
        self._city, self._number = city, number
        self._folder = city.folder / "terminals" / number
        self._folder.mkdir(parents=True, exist_ok=True)
        self._configuration = city.configuration()
        self._acceptance = Acceptance(
            home_issuer=self._configuration.content["issuer"],
            others=served_issuers(self._configuration.content),
            blacklist=listed,
            blacklist_number=blacklist,
            amount_limit_fen=self._configuration.content["amount_limit_fen"],
        )
        self._desk: TopUpDesk = city.desk.for_agent(agent) if agent else city.desk
        self._lock: IO[str] | None = None
        self.earlier: Paid | None = None

    def __enter__(self) -> Self:
        lock = (self._folder / "lock").open("w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            problem = "another program works as this terminal: wait until it ends"
            raise TerminalInvalid(terminal=self._number, problem=problem) from None
        self._lock = lock
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()

    def load(self, reader: Reader, amount_fen: int) -> Load:
        """Load the purse through the city's desk; an earlier load that was torn is finished instead.

        Raises LoadRefused, CardRefused and CardRemoved: after the last, the same call tells how it ended.
        """
        journal = FileJournal(self._folder / "loads.journal")
        try:
            session = self._terminal(journal).tap(reader, self._city.now_local())
            return session.view.recovered_load or session.load(amount_fen, self._city.now_local())
        finally:
            journal.close()

    def pay(self, reader: Reader, amount_fen: int, plan: RecordPlan = _NO_PLAN) -> Paid:
        """Debit the purse and write the record's batch file; a torn debit of just this is taken instead.

        Just this is what has the same amount and plan. Raises ServiceOff, CardRefused and CardRemoved: after
        the last, the same call tells how it ended, and charges only when the first had not.
        """
        self.earlier = None
        journal = _LateJournal(self._folder / "debits.journal")
        try:
            terminal = self._terminal(journal)
            session = terminal.tap(reader, self._city.now_local())
            debit = session.view.recovered
            if debit is None or (debit.amount_fen, debit.plan) != (amount_fen, plan):
                earlier = debit or session.view.unresolved
                if earlier is not None:
                    # A card has one note: that of the new debit takes the place of this one, whose record is
                    # safe first. Until then it stays, and is the answer when the earlier one is asked again.
                    self.earlier = Paid(debit=earlier, batch=self._hand_in(terminal))
                if owned := self._city.plugins.service(plan.service):
                    require_on(self._configuration.content, owned, self._partner)
                debit = session.purchase(amount_fen, self._city.now_local(), plan=plan)
                terminal.record(debit)
            path = self._hand_in(terminal)
            journal.settle()
        finally:
            journal.close()
        return Paid(debit=debit, batch=path, earlier=self.earlier)

    def priced(self, paid: Paid) -> tuple[Code | None, str]:
        """Say what clearing will find about the price of a purchase: a code or None, and why.

        P02 and P03 suspend the record: the money is off the card and nobody is paid yet.
        """
        from citycard.clearing.rating import ask_rate, price_code

        record = read_record(read_batch(paid.batch.read_bytes()).records[-1])
        rating, why = ask_rate(self._city.rate, record)
        return price_code(record.amount_fen, rating, self._city.terms), why

    # ── state ────────────────────────────────────────────────────────────────────────────────────

    def _terminal(self, journal: Journal) -> Terminal:
        batches = sorted(self._folder.glob("*.ccb"))
        last = read_batch(batches[-1].read_bytes()).header if batches else None
        return Terminal(
            self._number,
            self._city.sam(self._number, self._next_serial()),
            profile=self._city.issuing.profile,
            config_number=self._configuration.number,
            acceptance=self._acceptance,
            journal=journal,
            host=self._desk,
            next_batch=last.number + 1 if last else 1,
            next_sequence=last.first_sequence + last.count if last else 1,
        )

    def _next_serial(self) -> int:
        """Return the last serial used, and note one more as used before it can be."""
        path = self._folder / "serial"
        serial = int(path.read_text(encoding="ascii")) if path.exists() else 0
        write_whole(path, str(serial + 1).encode())
        return serial

    def _hand_in(self, terminal: Terminal) -> Path:
        at = self._city.now_local()
        path = self._folder / f"{self._number}-{terminal.next_batch:06d}.ccb"
        data = terminal.close_batch(at.date(), at)
        assert data is not None, "a purchase has a record"
        write_whole(path, data)
        return path


class _LateJournal(FileJournal):
    """Forget notes of debits in the file only when ``settle`` is called: their records are safe by then."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._late: list[str] = []

    def remove(self, asn: str, *, load: bool = False) -> None:
        """Forget a note in memory."""
        if not load and self.find(asn) is not None:
            Journal.remove(self, asn)
            self._late.append(asn)
        elif load:
            super().remove(asn, load=True)

    def settle(self) -> None:
        """Forget in the file what is forgotten in memory."""
        for asn in self._late:
            self._append(json.dumps({"done": asn, "load": False}))
        self._late.clear()
