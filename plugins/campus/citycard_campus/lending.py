"""The school's library: an item is lent to whoever is enrolled, and a late one is paid when it comes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, update

from citycard.card.codec import decode
from citycard.city.till import Receipt, Sale, Visit
from citycard.errors import Phrase
from citycard.store import reading, writing
from citycard_campus.errors import LoanRefused
from citycard_campus.fares import LIBRARY
from citycard_campus.loans import Loan, loans_of
from citycard_campus.posts import Post
from citycard_campus.sectors import ENROLMENT, Enrolment, LibraryFacts, Role, Sort
from citycard_campus.tables import loan

if TYPE_CHECKING:
    from citycard.terminal import Reader

__all__ = ["LibraryDesk"]

_LONGEST = 20
_TWICE = 2


class LibraryDesk(Post):
    """The library's desk, which has a line to the city; ``item`` is what is printed on the item."""

    def lend(self, reader: Reader, at: dt.datetime, item: str) -> Receipt:
        """Lend an item; raise LoanRefused when it is out, or the holder has as many as may be."""
        _check(item)
        due = at.date() + dt.timedelta(days=self.campus.settings.library.days)

        def lending(visit: Visit) -> Sale:
            enrolment = self.enrolled(visit)
            with reading(self.campus.engine) as conn:
                self._check_free(conn, enrolment, item)
            return Sale(service=LIBRARY, amount_fen=0, facts=self._facts(enrolment, Sort.LENT, item, due))

        return self._served(reader, at, lending, item)

    def take_back(self, reader: Reader, at: dt.datetime, item: str) -> Receipt:
        """Take back an item from who has it; the purse pays for late days. Raise LoanRefused.

        An enrolment that ended is no reason to keep a book.
        """
        _check(item)
        with reading(self.campus.engine) as conn:
            out = self._out(conn, item)
        if out is None:
            raise LoanRefused(item=item, reason="is not lent")

        def taking(visit: Visit) -> Sale:
            enrolment: Enrolment = self.holder(visit).enrolment
            if enrolment.pupil != out.pupil:
                raise LoanRefused(item=item, reason="was lent to somebody else")
            facts = self._facts(enrolment, Sort.RETURNED, item, out.due)
            price_fen = visit.price(LIBRARY, facts).amount_fen
            paid = self.counted(enrolment, price_fen, visit.at)
            return Sale(
                service=LIBRARY,
                amount_fen=price_fen,
                facts=facts,
                writes={ENROLMENT.name: self.marked(visit, paid, ENROLMENT.name)} if price_fen else {},
            )

        return self._served(reader, at, taking, item)

    def _served(self, reader: Reader, at: dt.datetime, decide: Callable[[Visit], Sale], item: str) -> Receipt:
        """Serve a card and note what was done; a torn step that is finished first says itself what it was."""
        for _ in range(_TWICE):
            receipt = self.serve(reader, at, decide)
            facts: LibraryFacts = decode(LibraryFacts, receipt.debit.plan.facts)
            self._note(facts, receipt)
            if facts.item == item:
                break
        return receipt

    def _note(self, facts: LibraryFacts, receipt: Receipt) -> None:
        at = receipt.debit.at
        with writing(self.campus.engine) as conn:
            out = self._out(conn, facts.item)
            if facts.sort is Sort.LENT and out is None:
                row = {"pupil": facts.pupil, "school": facts.school, "item": facts.item, "lent_at": at}
                conn.execute(insert(loan), row | {"due": facts.due, "late_fen": 0})
            elif facts.sort is Sort.RETURNED and out is not None:
                back = {"back_at": at, "late_fen": receipt.amount_fen}
                conn.execute(update(loan).where(loan.c.id == out.id), back)

    def _check_free(self, conn: Connection, enrolment: Enrolment, item: str) -> None:
        library = self.campus.settings.library
        most = library.teacher_items if enrolment.role is Role.TEACHER else library.pupil_items
        if self._out(conn, item) is not None:
            raise LoanRefused(item=item, reason="is lent already")
        if len(loans_of(conn, loan.c.pupil == enrolment.pupil, loan.c.back_at.is_(None))) >= most:
            raise LoanRefused(
                item=item, reason=Phrase("the holder has {most} items, and no more are lent", most=most)
            )

    def _out(self, conn: Connection, item: str) -> Loan | None:
        mine = (loan.c.school == self.school.number, loan.c.item == item, loan.c.back_at.is_(None))
        return next(iter(loans_of(conn, *mine)), None)

    def _facts(self, enrolment: Enrolment, sort: Sort, item: str, due: dt.date) -> LibraryFacts:
        return LibraryFacts(
            school=self.school.number,
            role=enrolment.role,
            pupil=enrolment.pupil,
            sort=sort,
            item=item,
            due=due,
        )


def _check(item: str) -> None:
    if not (0 < len(item) <= _LONGEST and item.isascii() and item.isprintable()):
        raise LoanRefused(
            item=item[:_LONGEST] or "(none)",
            reason=Phrase("expected 1 to {longest} ASCII characters", longest=_LONGEST),
        )
