"""The library: a reader's right on the card, books lent and returned, and what a day too long costs.

The city's tables say who has which book. The card carries the reader's right, how many books are out and
when the first is due. Which book it was is forgotten once it is back and nothing is owed for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from citycard.city.charging import charge, next_try, price
from citycard.city.till import Sale, Visit
from citycard.errors import Phrase
from citycard.ids import derived_id
from citycard.registry import find_card
from citycard.store import publish, reading, writing
from citycard_tourism.desk import Desk
from citycard_tourism.errors import LoanRefused, WrittenBefore
from citycard_tourism.office import Office
from citycard_tourism.sectors import READER, FeeFacts, ReaderRecord, RightKind
from citycard_tourism.services import FEE
from citycard_tourism.tables import loan, reader

if TYPE_CHECKING:
    from citycard.terminal import Reader

__all__ = ["LibraryDesk", "Loan", "loans_of", "pay_fees", "renew", "take_back", "tell_overdue"]

_ITEM_MOST = 40


@attrs.frozen(kw_only=True)
class Loan:
    """A book that was lent; ``item`` is empty when it is back and nothing is owed. ``days`` were too long."""

    serial: int
    id: UUID
    asn: str
    venue: int
    item: str
    lent_on: dt.date
    due_on: dt.date
    renewals: int
    returned_on: dt.date | None
    days: int
    fee_fen: int
    paid: bool
    told_on: dt.date | None

    @property
    def out(self) -> bool:
        """Tell whether the book is not back yet."""
        return self.returned_on is None


def loans_of(conn: Connection, asn: str, *, limit: int = 100) -> list[Loan]:
    """Give the loans of a card, newest first."""
    query = select(loan).where(loan.c.asn == asn).order_by(loan.c.serial.desc()).limit(limit)
    return [Loan(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def _open_loans(conn: Connection, asn: str) -> list[Loan]:
    """Give what is out or owed for, newest first, however long ago it was lent."""
    query = select(loan).where(loan.c.asn == asn, loan.c.paid.is_(False)).order_by(loan.c.serial.desc())
    return [Loan(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def take_back(office: Office, venue: str, item: str, on: dt.date | None = None) -> Loan:
    """Take a book back, also at a machine without the card; what it was too long is priced by the rules.

    Raise LoanRefused when the book is not out; a day before it was lent, or in the future, is refused too.
    """
    where, today = office.settings.venue(venue), on or office.now.date()
    out = (loan.c.venue == where.number, loan.c.item == item, loan.c.returned_on.is_(None))
    with reading(office.engine) as conn:
        row = conn.execute(select(loan).where(*out)).one_or_none()
    if row is None:
        raise LoanRefused(
            asn="unknown",
            reason=Phrase("book {item!r} is not out of {venue}", item=item[:_ITEM_MOST], venue=venue),
        )
    if not row.lent_on <= today <= office.now.date():
        raise LoanRefused(
            asn=row.asn, reason=Phrase("{today} is no day on which {item!r} was out", today=today, item=item)
        )
    days = max(0, (today - row.due_on).days)
    fee_fen = _fee_fen(office, row.asn, venue, days) if days else 0
    values: dict[str, Any] = {"returned_on": today, "days": days, "fee_fen": fee_fen, "paid": fee_fen == 0}
    if not fee_fen:
        values["item"] = ""
    with writing(office.engine) as conn:
        conn.execute(update(loan).where(loan.c.serial == row.serial, *out).values(values))
        found = conn.execute(select(loan).where(loan.c.serial == row.serial)).one()
    return Loan(**found._mapping)  # noqa: SLF001 - the documented way to read a row by name


def renew(office: Office, asn: str, serial: int) -> Loan:
    """Lend a book for longer; refused when it is late, or was renewed as often as it may be."""
    with writing(office.engine) as conn:
        query = select(loan).where(loan.c.serial == serial, loan.c.asn == asn).with_for_update()
        row = conn.execute(query).one_or_none()
        if row is None or row.returned_on is not None:
            raise LoanRefused(asn=asn, reason=Phrase("loan {serial} is not out", serial=serial))
        library = office.settings.library(office.settings.venue(row.venue).id)
        if row.due_on < office.now.date():
            raise LoanRefused(
                asn=asn,
                reason=Phrase(
                    "loan {serial} was due on {due_on}: return the book", serial=serial, due_on=row.due_on
                ),
            )
        if row.renewals >= library.renewals:
            raise LoanRefused(
                asn=asn,
                reason=Phrase(
                    "loan {serial} was renewed {renewals} times: no more",
                    serial=serial,
                    renewals=row.renewals,
                ),
            )
        due_on = office.now.date() + dt.timedelta(days=library.days)
        changed = update(loan).where(loan.c.serial == serial)
        conn.execute(changed.values(due_on=max(due_on, row.due_on), renewals=row.renewals + 1))
        found = conn.execute(select(loan).where(loan.c.serial == serial)).one()
    return Loan(**found._mapping)  # noqa: SLF001 - a Row's own way


def pay_fees(office: Office, asn: str) -> int:
    """Pay what a card owes for late books from its online account; each fee once. Return the fen paid.

    What was refused, such as for want of money, can be paid later. Raise RegistryMissing for no card.
    """
    with reading(office.engine) as conn:
        find_card(conn, asn)
    total_fen = 0
    for owed in _owed(office, asn):
        venue = office.settings.venue(owed.venue).id
        done = charge(
            office.city,
            next_try(office.city, "tourism", "fee", owed.id),
            asn,
            service=FEE,
            partner=venue,
            facts={"venue": venue, "days": owed.days},
            entitlements=office.settings.entitlements(office.rights(asn)),
        )
        total_fen += done.amount_fen
        _settle(office, owed.serial, done.amount_fen)
    return total_fen


def tell_overdue(office: Office) -> int:
    """Tell the holders of books that are late, once for each book; return how many were told."""
    today = office.now.date()
    late = (loan.c.returned_on.is_(None), loan.c.told_on.is_(None), loan.c.due_on < today)
    with writing(office.engine) as conn:
        rows = conn.execute(select(loan).where(*late)).all()
        for row in rows:
            conn.execute(update(loan).where(loan.c.serial == row.serial).values(told_on=today))
        bodies = [{"asn": row.asn, "loan": row.serial, "due_on": row.due_on.isoformat()} for row in rows]
        return publish(conn, "tourism.loan-overdue", bodies)


class LibraryDesk(Desk):
    """The desk of a library, with a reader for the card."""

    def register(self, card: Reader) -> dt.date:
        """Give a card the reader's right, or a longer one; return its last day. Again without harm."""
        asn, library = self.asn_of(card), self.office.settings.library(self.venue.id)
        until = self.now.date() + dt.timedelta(days=library.reader_days)
        with writing(self.office.engine) as conn:
            if conn.execute(update(reader).where(reader.c.asn == asn).values(until=until)).rowcount == 0:
                conn.execute(insert(reader), {"asn": asn, "until": until})
        self._write(card, asn)
        return until

    def lend(self, act: UUID, card: Reader, items: Iterable[str]) -> list[Loan]:
        """Lend books to the holder of a card, all or none; once for each act.

        Raise LoanRefused without a reader's right, when a fee is owed or a book is late, when there would be
        too many, or when a book is out already.
        """
        asn, wanted = self.asn_of(card), list(dict.fromkeys(items))
        ids = {derived_id("tourism", "loan", act, item): item for item in wanted}
        with reading(self.office.engine) as conn:
            known = [one for one in loans_of(conn, asn) if one.id in ids]
        if not known:
            self._check_lending(card, asn, wanted)
            self._lend(asn, ids)
        self._write(card, asn)
        with reading(self.office.engine) as conn:
            return [one for one in loans_of(conn, asn) if one.id in ids][::-1]

    def pay_fees(self, card: Reader) -> int:
        """Pay what a card owes for late books from its purse; each fee once. Return the fen paid."""
        asn, total_fen = self.asn_of(card), 0
        rights = self.office.rights(asn)
        for owed in _owed(self.office, asn):

            def decide(visit: Visit, owed: Loan = owed) -> Sale:
                record = self._right(visit)
                if record.fee == owed.serial:
                    raise WrittenBefore(asn=visit.asn)
                facts = FeeFacts(venue=owed.venue, loan=owed.serial, days=owed.days, rights=rights)
                writes = {READER: self._stamped(visit, fee=owed.serial, settled=True)}
                fen = visit.price(FEE, facts).amount_fen
                return Sale(service=FEE, amount_fen=fen, facts=facts, writes=writes)

            served = self.serve(card, asn, decide, fresh=True, undo=lambda: None)
            fee_fen = served.receipt.amount_fen if served.receipt else owed.fee_fen
            total_fen += fee_fen
            _settle(self.office, owed.serial, fee_fen)
        self._write(card, asn)
        return total_fen

    def _check_lending(self, card: Reader, asn: str, wanted: list[str]) -> None:
        library, today = self.office.settings.library(self.venue.id), self.now.date()
        bad = [item for item in wanted if not item or item != item.strip() or len(item) > _ITEM_MOST]
        with reading(self.office.engine) as conn:
            loans = _open_loans(conn, asn)
            until = conn.scalar(select(reader.c.until).where(reader.c.asn == asn))
        late = [one for one in loans if one.out and one.due_on < today]
        owed_fen = sum(one.fee_fen for one in loans if not one.out and not one.paid)
        out = sum(one.out for one in loans)
        reason = ""
        if bad or not wanted:
            reason = Phrase(
                "{item!r} is no book: expected 1 to {item_most} characters",
                item=bad[0][:_ITEM_MOST] if bad else "",
                item_most=_ITEM_MOST,
            )
        elif until is None or until < today:
            reason = "it has no reader's right: the desk registers it"
        elif owed_fen:
            reason = Phrase("{owed_fen} fen are owed for late books", owed_fen=owed_fen)
        elif late:
            reason = Phrase("a book was due on {due_on}", due_on=late[-1].due_on)
        elif out + len(wanted) > library.books:
            reason = Phrase(
                "{out} books are out, {books} may be: {count} more are wanted",
                out=out,
                books=library.books,
                count=len(wanted),
            )
        if reason:
            raise LoanRefused(asn=asn, reason=reason)

    def _lend(self, asn: str, ids: dict[UUID, str]) -> None:
        library, today = self.office.settings.library(self.venue.id), self.now.date()
        rows = [
            {
                "id": identity,
                "asn": asn,
                "venue": self.venue.number,
                "item": item,
                "lent_on": today,
                "due_on": today + dt.timedelta(days=library.days),
                "renewals": 0,
                "days": 0,
                "fee_fen": 0,
                "paid": False,
            }
            for identity, item in ids.items()
        ]
        try:
            with writing(self.office.engine) as conn:
                conn.execute(insert(loan), rows)
        except IntegrityError:
            listed = ", ".join(ids.values())
            raise LoanRefused(
                asn=asn, reason=Phrase("one of {listed} is out already", listed=listed)
            ) from None

    def _write(self, card: Reader, asn: str) -> None:
        """Bring the card up to what the tables say; nothing is written where it says so."""

        def decide(visit: Visit) -> Sale:
            record: ReaderRecord = visit.read(READER)
            fresh = self._stamped(visit, fee=record.fee)
            if fresh == record:
                raise WrittenBefore(asn=visit.asn)
            return self.written(RightKind.READER, 0, 0, {READER: fresh})

        self.serve(card, asn, decide, fresh=True, undo=lambda: None)

    def _right(self, visit: Visit) -> ReaderRecord:
        record: ReaderRecord = visit.read(READER)
        if record.until is None:
            raise LoanRefused(asn=visit.asn, reason="it has no reader's right: the desk registers it")
        return self.office.seals.check(READER, visit, record)

    def _stamped(self, visit: Visit, *, fee: int, settled: bool = False) -> ReaderRecord:
        with reading(self.office.engine) as conn:
            loans = _open_loans(conn, visit.asn)
            until = conn.scalar(select(reader.c.until).where(reader.c.asn == visit.asn))
        out = [one for one in loans if one.out]
        owed = [one for one in loans if not one.out and not one.paid and not (settled and one.serial == fee)]
        record = ReaderRecord(
            until=until,
            books=min(len(out), 0xFF),
            due=min((one.due_on for one in out), default=None),
            blocked=bool(owed),
            fee=fee,
        )
        return self.office.seals.stamp(READER, visit, record)


def _fee_fen(office: Office, asn: str, venue: str, days: int) -> int:
    entitlements = office.settings.entitlements(office.rights(asn))
    facts = {"venue": venue, "days": days}
    quote = price(office.city, asn, service=FEE, partner=venue, facts=facts, entitlements=entitlements)
    return quote.amount_fen


def _owed(office: Office, asn: str) -> list[Loan]:
    with reading(office.engine) as conn:
        return [one for one in _open_loans(conn, asn) if not one.out][::-1]


def _settle(office: Office, serial: int, fee_fen: int) -> None:
    with writing(office.engine) as conn:
        values = {"paid": True, "item": "", "fee_fen": fee_fen}
        conn.execute(update(loan).where(loan.c.serial == serial).values(values))
