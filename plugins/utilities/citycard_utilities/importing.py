"""Take a biller's file of bills: new ones, replaced ones, withdrawn ones; all of it in one transaction.

A file is known by its digest: handed in again, it gets the answer it got then. Broken off anywhere, nothing
of it was taken, and it is simply handed in again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, bindparam, insert, select, update

from citycard.errors import Phrase
from citycard.store import publish, reading, writing
from citycard.store.bulk import insert_all, select_in
from citycard_utilities.billfile import BadBill, BillFile, BillLine, read_bills
from citycard_utilities.credits import Overpaid, release, use_credits
from citycard_utilities.errors import BillFileInvalid
from citycard_utilities.events import FILE_TAKEN
from citycard_utilities.receipts import OPEN, PAID, WITHDRAWN
from citycard_utilities.settings import Biller, Currency, UtilitySettings
from citycard_utilities.tables import bill, bill_file

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["FileReport", "files_of", "take_file"]

_NEW = tuple(column.name for column in bill.c)
_SHOWN = 50


@attrs.frozen(kw_only=True)
class FileReport:
    """What came of a file: bills by what happened to them, their sum, and the lines that are bad.

    ``credited_fen`` is what households had over and what new bills were paid of at once; ``released_fen``
    what was paid on bills that cost less now or are withdrawn. ``repeated``: the file was taken before.
    """

    biller: str
    file: str
    digest: str
    lines: int
    added: int
    replaced: int
    withdrawn: int
    unchanged: int
    amount_fen: int
    credited_fen: int
    released_fen: int
    bad: tuple[BadBill, ...]
    bad_count: int
    repeated: bool = False


@attrs.frozen(kw_only=True)
class _Change:
    """What a file does to a bill that is known."""

    line: BillLine
    amount_fen: int
    settled_fen: int
    revision: int

    @property
    def state(self) -> str:
        if self.line.withdrawn:
            return WITHDRAWN
        return PAID if self.settled_fen >= self.amount_fen else OPEN

    @property
    def overpaid(self) -> bool:
        return self.settled_fen > (0 if self.line.withdrawn else self.amount_fen)


def take_file(
    city: City, settings: UtilitySettings, biller: str, data: bytes, *, file: str, actor: str = ""
) -> FileReport:
    """Take a file; bad lines are told, the others are taken.

    Raise BillerUnknown, or BillFileInvalid for a file that is cut off, too large, or none at all.
    """
    sender = settings.biller(biller)
    if len(data) > settings.most_file_mib * 1024 * 1024:
        reason = Phrase(
            "it has {count} bytes, more than {most_file_mib} MiB: split it",
            count=len(data),
            most_file_mib=settings.most_file_mib,
        )
        raise BillFileInvalid(file=file, line=1, reason=reason)
    digest = hashlib.sha256(data).hexdigest()
    with reading(city.engine) as conn:
        known = _known(conn, biller, digest)
    if known is not None:
        return known
    currency = settings.currency(settings.kind(sender.kind).currency)
    assert currency is not None
    parsed = read_bills(data, file=file)
    with writing(city.engine) as conn:
        # Whoever handed in the same file a moment ago was faster.
        known = _known(conn, biller, digest)
        if known is not None:
            return known
        report = _take(conn, city, settings, sender, currency, parsed, file=file, digest=digest)
        row = {
            "biller": biller,
            "digest": digest,
            "name": file[:200],
            "report": attrs.asdict(report),
            "actor": actor[:100],
            "at": city.clock.now(),
        }
        conn.execute(insert(bill_file), row)
        body = {
            "biller": biller,
            "file": file[:200],
            "added": report.added,
            "replaced": report.replaced,
            "withdrawn": report.withdrawn,
            "bad": report.bad_count,
        }
        publish(conn, FILE_TAKEN, [body], at=city.clock.now())
    return report


def files_of(conn: Connection, biller: str | None = None, *, limit: int = _SHOWN) -> list[FileReport]:
    """Give what came of the newest files, newest first."""
    query = select(bill_file.c.report).order_by(bill_file.c.at.desc(), bill_file.c.digest).limit(limit)
    if biller is not None:
        query = query.where(bill_file.c.biller == biller)
    return [_report(stored) for stored in conn.scalars(query)]


def _known(conn: Connection, biller: str, digest: str) -> FileReport | None:
    query = select(bill_file.c.report).where(bill_file.c.biller == biller, bill_file.c.digest == digest)
    stored = conn.scalar(query)
    return None if stored is None else attrs.evolve(_report(stored), repeated=True)


def _report(stored: Mapping[str, Any]) -> FileReport:
    bad = tuple(BadBill(**one) for one in stored["bad"])
    return FileReport(**{**stored, "bad": bad})


def _take(
    conn: Connection,
    city: City,
    settings: UtilitySettings,
    biller: Biller,
    currency: Currency,
    parsed: BillFile,
    *,
    file: str,
    digest: str,
) -> FileReport:
    numbers = [line.number for line in parsed.lines]
    query = select(bill).where(bill.c.biller == biller.id).with_for_update()
    known = {row.number: row for row in select_in(conn, query, bill.c.number, numbers)}
    new = [line for line in parsed.lines if line.number not in known and not line.withdrawn]
    lost = [line for line in parsed.lines if line.number not in known and line.withdrawn]
    changes = [
        change
        for line in parsed.lines
        if line.number in known
        for change in [_change(line, known[line.number], currency)]
        if change is not None
    ]
    insert_all(conn, bill, _NEW, (_row(biller, line, currency) for line in new))
    _apply(conn, biller, changes, currency)
    over = [
        Overpaid(
            biller=biller.id,
            bill=one.line.number,
            household=one.line.household,
            keep_fen=0 if one.line.withdrawn else one.amount_fen,
            settled_fen=one.settled_fen,
            withdrawn=one.line.withdrawn,
            revision=one.revision,
        )
        for one in changes
        if one.overpaid
    ]
    at = city.now_local()
    released = release(conn, settings, over, at=at)
    households = {line.household for line in new} | {one.line.household for one in changes}
    credited = use_credits(conn, biller.id, households, at=at)
    bad = [
        *parsed.bad,
        *(
            BadBill(line=one.line, field="bill", text=one.number, expected="a bill that was sent before")
            for one in lost
        ),
    ]
    return FileReport(
        biller=biller.id,
        file=file[:200],
        digest=digest,
        lines=parsed.declared,
        added=len(new),
        replaced=sum(not one.line.withdrawn for one in changes),
        withdrawn=sum(one.line.withdrawn for one in changes),
        unchanged=len(parsed.lines) - len(new) - len(lost) - len(changes),
        amount_fen=sum(currency.in_fen(line.minor) for line in parsed.lines if not line.withdrawn),
        credited_fen=credited,
        released_fen=released,
        bad=tuple(sorted(bad, key=lambda one: one.line)),
        bad_count=parsed.bad_count + len(lost),
    )


def _row(biller: Biller, line: BillLine, currency: Currency) -> tuple[Any, ...]:
    return (
        biller.id,
        line.number,
        line.household,
        line.holder,
        line.period,
        currency.in_fen(line.minor),
        currency.code,
        line.minor,
        line.due,
        OPEN,
        0,
        1,
    )


def _change(line: BillLine, known: Any, currency: Currency) -> _Change | None:
    same = (line.household, line.due) == (known.household, known.due)
    same = same and line.withdrawn == (known.state == WITHDRAWN)
    if same and (line.withdrawn or (line.minor, currency.code) == (known.minor, known.currency)):
        return None
    return _Change(
        line=line,
        amount_fen=known.amount_fen if line.withdrawn else currency.in_fen(line.minor),
        settled_fen=known.settled_fen,
        revision=known.revision + 1,
    )


def _apply(conn: Connection, biller: Biller, changes: list[_Change], currency: Currency) -> None:
    rows = [
        {
            "key": one.line.number,
            "b_household": one.line.household,
            "b_holder": one.line.holder,
            "b_period": one.line.period,
            "b_amount_fen": one.amount_fen,
            "b_minor": one.line.minor,
            "b_due": one.line.due,
            "b_state": one.state,
            "b_revision": one.revision,
        }
        for one in changes
    ]
    if rows:
        change = update(bill).where(bill.c.biller == biller.id, bill.c.number == bindparam("key"))
        values: dict[str, Any] = {name[2:]: bindparam(name) for name in rows[0] if name != "key"}
        conn.execute(change.values(currency=currency.code, **values), rows)
