"""The school's library: an item is lent to whoever is enrolled, and a late one is paid when it comes back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard.city.till import Receipt, Sale, Visit
from citycard.store import reading, writing
from citycard_campus.errors import LoanRefused
from citycard_campus.fares import LIBRARY
from citycard_campus.posts import Post
from citycard_campus.sectors import ENROLMENT, Enrolment, LibraryFacts, Role, Sort
from citycard_campus.tables import loan

if TYPE_CHECKING:
    from typing import Any

    from citycard.terminal import Reader

__all__ = ["LibraryDesk", "Loan", "loans_of"]

_LONGEST = 20


@attrs.frozen(kw_only=True)
class Loan:
    """An item that was lent; ``back_at`` is None while it is out, ``late_fen`` what it cost late."""

    id: int
    pupil: int
    school: int
    item: str
    lent_at: dt.datetime
    due: dt.date
    back_at: dt.datetime | None
    late_fen: int


class LibraryDesk(Post):
    """The library's desk, which has a line to the city; ``item`` is what is printed on the item."""

    def lend(self, reader: Reader, at: dt.datetime, item: str) -> Receipt:
        """Lend an item; raise LoanRefused when it is out, or the holder has as many as may be."""
        _check(item)
        due = at.date() + dt.timedelta(days=self.campus.settings.library.days)
        lent: list[Enrolment] = []

        def lending(visit: Visit) -> Sale:
            enrolment = self.enrolled(visit)
            with reading(self.campus.engine) as conn:
                self._check_free(conn, enrolment, item)
            lent.append(enrolment)
            return Sale(service=LIBRARY, amount_fen=0, facts=self._facts(enrolment, Sort.LENT, item, due))

        receipt = self.serve(reader, at, lending)
        row = {"school": self.school.number, "item": item, "lent_at": receipt.debit.at, "due": due}
        with writing(self.campus.engine) as conn:
            out = self._out(conn, item)
            if out is None and lent:
                conn.execute(insert(loan), row | {"pupil": lent[-1].pupil, "late_fen": 0})
        return receipt

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

        receipt = self.serve(reader, at, taking)
        back = {"back_at": receipt.debit.at, "late_fen": receipt.amount_fen}
        with writing(self.campus.engine) as conn:
            conn.execute(update(loan).where(loan.c.id == out.id, loan.c.back_at.is_(None)), back)
        return receipt

    def _check_free(self, conn: Connection, enrolment: Enrolment, item: str) -> None:
        library = self.campus.settings.library
        most = library.teacher_items if enrolment.role is Role.TEACHER else library.pupil_items
        if self._out(conn, item) is not None:
            raise LoanRefused(item=item, reason="is lent already")
        if len(loans_of(conn, loan.c.pupil == enrolment.pupil, loan.c.back_at.is_(None))) >= most:
            raise LoanRefused(item=item, reason=f"the holder has {most} items, and no more are lent")

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


def loans_of(conn: Connection, *conditions: Any, limit: int = 200) -> list[Loan]:
    """Give the loans for which conditions on the table hold, newest first."""
    found = conn.execute(select(loan).where(*conditions).order_by(loan.c.id.desc()).limit(limit))
    return [Loan(**row._mapping) for row in found]  # noqa: SLF001 - a Row's own way


def _check(item: str) -> None:
    if not (0 < len(item) <= _LONGEST and item.isascii() and item.isprintable()):
        raise LoanRefused(
            item=item[:_LONGEST] or "(none)", reason=f"expected 1 to {_LONGEST} ASCII characters"
        )
