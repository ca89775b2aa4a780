"""The resident register: what departments tell about a person, with source and date, and what stands of it.

Every department tells a field for itself. As long as all say the same, that stands. When two differ, what
stood goes on standing, and there is a conflict that somebody settles; telling again what was said before
opens nothing anew.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import attrs
from sqlalchemy import ColumnElement, Connection, insert, select, update

from citycard import Phrase, registry
from citycard.ids import new_id
from citycard.store import publish, reading, writing
from citycard.store.bulk import insert_missing
from citycard_egov.errors import ConflictUnknown, EgovFileInvalid, EgovInvalid, ResidentUnknown
from citycard_egov.events import CONFLICT_OPENED
from citycard_egov.office import Office, checked_number
from citycard_egov.tables import card, conflict, resident, standing, told

__all__ = [
    "BadRow",
    "Conflict",
    "Imported",
    "Telling",
    "find_by_card",
    "find_by_number",
    "import_file",
    "link_card",
    "open_conflicts",
    "residents_of",
    "settle",
    "tell",
    "value_of",
]

_LONGEST = 200
_MOST_ROWS = 100_000


@attrs.frozen(kw_only=True)
class Telling:
    """What came of telling a field: ``new``, ``same`` or ``conflict``."""

    field: str
    outcome: str


@attrs.frozen(kw_only=True)
class Conflict:
    """Two departments that tell a field differently; the values are shown only to who settles it."""

    id: UUID
    resident: UUID
    field: str
    standing: int
    standing_source: str
    told: int
    told_source: str
    opened_at: dt.datetime


@attrs.frozen(kw_only=True)
class BadRow:
    """A row of a file that was not taken, and why."""

    line: int
    reason: str


@attrs.frozen(kw_only=True)
class Imported:
    """What came of a file of residents: persons, fields that are new, the same, in conflict, and bad rows."""

    residents: int
    new: int
    same: int
    conflicts: int
    bad: tuple[BadRow, ...]


def tell(
    office: Office,
    id_number: str,
    source: str,
    values: Mapping[str, str],
    *,
    day: dt.date,
    actor: str,
) -> list[Telling]:
    """Write what a department says about a person, in the register from then on; all fields or none.

    ``day`` is when the department's own record was made. Raise EgovInvalid.
    """
    checked = _checked(office, source, values, day)
    with writing(office.engine) as conn:
        who = _ensure(conn, office, id_number)
        return [_tell(conn, office, who, source, field, text, day, actor) for field, text in checked]


def import_file(office: Office, source: str, text: str, *, file: str, actor: str) -> Imported:
    """Take a department's CSV of residents: columns ``id_number``, ``day`` and fields that it may tell.

    Bad rows are told, the others are taken; the same file again changes nothing. Raise EgovFileInvalid.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=None), skipinitialspace=True)
    names = [name.strip().lower() for name in rows.fieldnames or ()]
    for needed in ("id_number", "day"):
        if needed not in names:
            lacking = Phrase("its first line names no column {needed}", needed=needed)
            raise EgovFileInvalid(file=file, reason=lacking)
    fields = [name for name in names if name not in {"id_number", "day"}]
    try:
        _checked(office, source, dict.fromkeys(fields, ""), office.now().date())
    except EgovInvalid as wrong:
        raise EgovFileInvalid(file=file, reason=Phrase("line 1: {wrong}", wrong=wrong)) from wrong
    rows.fieldnames = names
    people: set[UUID] = set()
    outcomes: list[str] = []
    bad: list[BadRow] = []
    try:
        for count, row in enumerate(rows):
            if count >= _MOST_ROWS:
                many = Phrase("it has more than {most} rows: split it", most=_MOST_ROWS)
                raise EgovFileInvalid(file=file, reason=many)
            try:
                who, done = _take(office, source, row, fields, actor)
            except (EgovInvalid, ValueError) as wrong:
                bad.append(BadRow(line=rows.line_num, reason=str(wrong)))
                continue
            people.add(who)
            outcomes += done
    except csv.Error as wrong:
        told = Phrase("line {line} is no CSV: {wrong}", line=rows.line_num, wrong=wrong)
        raise EgovFileInvalid(file=file, reason=told) from wrong
    return Imported(
        residents=len(people),
        new=outcomes.count("new"),
        same=outcomes.count("same"),
        conflicts=outcomes.count("conflict"),
        bad=tuple(bad),
    )


def find_by_number(conn: Connection, office: Office, id_number: str) -> UUID:
    """Give the resident of an identity number; raise EgovInvalid or ResidentUnknown."""
    mine = resident.c.digest == office.number_digest(id_number)
    found: UUID | None = conn.scalar(select(resident.c.id).where(mine))
    if found is None:
        raise ResidentUnknown(what="identity number", mend="a department tells it first")
    return found


def find_by_card(conn: Connection, asn: str) -> UUID:
    """Give the resident whose card it is; raise ResidentUnknown."""
    found: UUID | None = conn.scalar(select(card.c.resident).where(card.c.asn == asn))
    if found is None:
        raise ResidentUnknown(what="card", mend="a service window links the card to its holder")
    return found


def residents_of(
    conn: Connection, office: Office, id_numbers: Iterable[str]
) -> dict[str, tuple[UUID, str | None]]:
    """Give resident and newest card in use of each identity number that is in the register."""
    digests = {office.number_digest(number): number for number in id_numbers}
    found: dict[str, tuple[UUID, str | None]] = {}
    wanted = list(digests)
    for start in range(0, len(wanted), 500):
        query = (
            select(resident.c.digest, resident.c.id, card.c.asn)
            .outerjoin(card, card.c.resident == resident.c.id)
            .where(resident.c.digest.in_(wanted[start : start + 500]))
            .order_by(card.c.at)
        )
        rows = conn.execute(query).all()
        cards = registry.cards_by_asn(conn, [row.asn for row in rows if row.asn])
        for row in rows:
            number = digests[row.digest]
            live = row.asn in cards and cards[row.asn].status is registry.CardStatus.ISSUED
            found[number] = (row.id, row.asn if live else found.get(number, (row.id, None))[1])
    return found


def link_card(office: Office, id_number: str, asn: str, *, actor: str) -> UUID:
    """Write down whose card it is, seen at a window; again without harm.

    Raise RegistryMissing, ResidentUnknown, or EgovInvalid for a card that is another resident's.
    """
    with writing(office.engine) as conn:
        registry.find_card(conn, asn)
        who = find_by_number(conn, office, id_number)
        row = {"asn": asn, "resident": who, "key_version": 0, "at": office.now(), "actor": actor}
        known: UUID | None = conn.scalar(select(card.c.resident).where(card.c.asn == asn))
        if known is None:
            conn.execute(insert(card), row)
        elif known != who:
            raise EgovInvalid(field="card", value=asn, expected="a card that is not another resident's")
    return who


def value_of(conn: Connection, office: Office, who: UUID, field: str) -> str:
    """Open what stands of a field, empty when nothing does. For what needs no reading log: see ``files``."""
    query = select(told.c.value_sealed).join(standing, standing.c.told == told.c.seq)
    sealed = conn.scalar(query.where(standing.c.resident == who, standing.c.field == field))
    return "" if sealed is None else office.open(f"{who}/{field}", sealed)


def open_conflicts(conn: Connection, *, limit: int = 1000) -> list[Conflict]:
    """List the conflicts that nobody has settled, oldest first."""
    left, right = told.alias("stood"), told.alias("said")
    query = (
        select(conflict, left.c.source.label("left"), right.c.source.label("right"))
        .join(left, left.c.seq == conflict.c.standing)
        .join(right, right.c.seq == conflict.c.told)
        .where(conflict.c.settled_at.is_(None))
        .order_by(conflict.c.opened_at, conflict.c.id)
        .limit(limit)
    )
    return [
        Conflict(
            id=row.id,
            resident=row.resident,
            field=row.field,
            standing=row.standing,
            standing_source=row.left,
            told=row.told,
            told_source=row.right,
            opened_at=row.opened_at,
        )
        for row in conn.execute(query)
    ]


def settle(office: Office, conflict_id: UUID, chosen: str, *, reason: str, actor: str) -> None:
    """Settle a conflict for the department ``chosen``, whose word stands from now on; once.

    Raise ConflictUnknown, or EgovInvalid for a department that is not in it or without a reason.
    """
    if not 0 < len(reason.strip()) <= _LONGEST:
        expected = Phrase("why, in 1 to {longest} characters", longest=_LONGEST)
        raise EgovInvalid(field="reason", value=reason, expected=expected)
    with writing(office.engine) as conn:
        conn.execute(select(conflict.c.id).where(conflict.c.id == conflict_id).with_for_update())
        found = {one.id: one for one in open_conflicts(conn)}.get(conflict_id)
        if found is None:
            raise ConflictUnknown(id=conflict_id)
        sides = {found.standing_source: found.standing, found.told_source: found.told}
        if chosen not in sides:
            raise EgovInvalid(field="chosen", value=chosen, expected=" or ".join(sorted(sides)))
        _stand(conn, found.resident, found.field, sides[chosen])
        done = {
            "settled_at": office.now(),
            "chosen": sides[chosen],
            "settled_by": actor,
            "reason": reason.strip(),
        }
        conn.execute(update(conflict).where(conflict.c.id == conflict_id).values(done))


# ── one telling ──────────────────────────────────────────────────────────────────────────────────


def _take(
    office: Office, source: str, row: Mapping[str, str | None], fields: Sequence[str], actor: str
) -> tuple[UUID, list[str]]:
    if None in row or any(row[name] is None for name in ("id_number", "day", *fields)):
        msg = "it has another number of columns than the first line"
        raise ValueError(msg)
    try:
        day = dt.date.fromisoformat((row["day"] or "").strip())
    except ValueError:
        raise EgovInvalid(field="day", value=row["day"], expected="a day such as 2026-11-29") from None
    number = row["id_number"] or ""
    values = {name: row[name] or "" for name in fields}
    done = tell(office, number, source, values, day=day, actor=actor)
    with reading(office.engine) as conn:
        return find_by_number(conn, office, number), [one.outcome for one in done]


def _checked(office: Office, source: str, values: Mapping[str, str], day: dt.date) -> list[tuple[str, str]]:
    department = office.settings.department(source)
    if department is None:
        known = ", ".join(sorted(one.id for one in office.settings.departments)) or "none"
        raise EgovInvalid(field="source", value=source, expected=Phrase("a department: {known}", known=known))
    if day > office.now().date():
        raise EgovInvalid(field="day", value=str(day), expected="a day that has come")
    found = []
    for name, text in sorted(values.items()):
        field = office.settings.field(name)
        if field is None or name not in department.tells:
            may = ", ".join(sorted(department.tells)) or "nothing"
            expected = Phrase("what {source} may tell: {may}", source=source, may=may)
            raise EgovInvalid(field="field", value=name, expected=expected)
        value = text.strip()
        if len(value) > _LONGEST or not value.isprintable():
            expected = Phrase("at most {longest} printable characters", longest=_LONGEST)
            raise EgovInvalid(field=name, value="…", expected=expected)
        if field.kind == "date" and value:
            try:
                value = dt.date.fromisoformat(value).isoformat()
            except ValueError:
                raise EgovInvalid(field=name, value="…", expected="a day such as 1958-03-01") from None
        found.append((name, value))
    return found


def _ensure(conn: Connection, office: Office, id_number: str) -> UUID:
    digest = office.number_digest(id_number)
    mine = select(resident.c.id).where(resident.c.digest == digest).with_for_update()
    found: UUID | None = conn.scalar(mine)
    if found is None:
        made = new_id()
        sealed = office.seal(f"{made}/id_number", checked_number(id_number))
        row = {"id": made, "digest": digest, "number_sealed": sealed, "at": office.now()}
        # Somebody else may have told the same person a moment ago: then that one is found.
        insert_missing(conn, resident, [row])
        found = conn.execute(mine).scalar_one()
    return found


def _tell(
    conn: Connection,
    office: Office,
    who: UUID,
    source: str,
    field: str,
    text: str,
    day: dt.date,
    actor: str,
) -> Telling:
    digest = office.digest(f"{who}/{field}", text)
    latest = _latest(conn, who, field)
    mine = latest.get(source)
    if mine is not None and (mine[1] == digest or mine[2] > day):
        return Telling(field=field, outcome="same")
    row = {
        "resident": who,
        "field": field,
        "source": source,
        "day": day,
        "value_sealed": office.seal(f"{who}/{field}", text),
        "value_digest": digest,
        "at": office.now(),
        "actor": actor,
    }
    seq = conn.execute(insert(told).returning(told.c.seq), row).scalar_one()
    stands = conn.execute(
        select(told.c.seq, told.c.value_digest, told.c.source)
        .join(standing, standing.c.told == told.c.seq)
        .where(standing.c.resident == who, standing.c.field == field)
    ).one_or_none()
    others = [other for name, other in latest.items() if name != source]
    # Where the newest word of every other department is the same, nothing is in dispute any more.
    if stands is None or all(other[1] == digest for other in others):
        _stand(conn, who, field, seq)
        _close(conn, office, who, field, seq)
        return Telling(field=field, outcome="new")
    if stands.value_digest == digest:
        return Telling(field=field, outcome="new")
    rival = stands.seq if stands.source != source else max(one[0] for one in others if one[1] != digest)
    _open(conn, office, who, field, rival, seq)
    return Telling(field=field, outcome="conflict")


def _latest(conn: Connection, who: UUID, field: str) -> dict[str, tuple[int, bytes, dt.date]]:
    mine = (told.c.resident == who) & (told.c.field == field)
    rows = conn.execute(select(told).where(mine).order_by(told.c.day, told.c.seq))
    return {row.source: (row.seq, row.value_digest, row.day) for row in rows}


def _stand(conn: Connection, who: UUID, field: str, seq: int) -> None:
    mine = (standing.c.resident == who) & (standing.c.field == field)
    if conn.execute(update(standing).where(mine).values(told=seq)).rowcount == 0:
        conn.execute(insert(standing), {"resident": who, "field": field, "told": seq})


def _open_one(who: UUID, field: str) -> ColumnElement[bool]:
    return (conflict.c.resident == who) & (conflict.c.field == field) & conflict.c.settled_at.is_(None)


def _open(conn: Connection, office: Office, who: UUID, field: str, stood: int, said: int) -> None:
    mine = update(conflict).where(_open_one(who, field))
    if conn.execute(mine.values(standing=stood, told=said)).rowcount:
        return
    row = {"id": new_id(), "resident": who, "field": field, "standing": stood, "told": said}
    conn.execute(insert(conflict), row | {"opened_at": office.now()})
    publish(conn, CONFLICT_OPENED, [{"conflict": str(row["id"]), "field": field}])


def _close(conn: Connection, office: Office, who: UUID, field: str, seq: int) -> None:
    agreed = {"settled_at": office.now(), "chosen": seq, "settled_by": "", "reason": "all say the same"}
    conn.execute(update(conflict).where(_open_one(who, field)).values(agreed))
