"""The health record of a patient: allergies, conditions, medication and immunizations, each sealed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select

from citycard.errors import Phrase
from citycard.ids import derived_id
from citycard.store.bulk import select_in
from citycard_health.patients import open_sealed, seal
from citycard_health.tables import entry as entry_table

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["EntryKind", "RecordEntry", "entries_of", "write_entries"]

_LONGEST = 200


class EntryKind(StrEnum):
    """What an entry says: each is a resource of its own in FHIR."""

    ALLERGY = "allergy"
    CONDITION = "condition"
    MEDICATION = "medication"
    IMMUNIZATION = "immunization"


_text = attrs.validators.and_(attrs.validators.instance_of(str), attrs.validators.max_len(_LONGEST))
_words = attrs.validators.and_(_text, attrs.validators.min_len(1))


@attrs.frozen(kw_only=True)
class RecordEntry:
    """One thing that is known: a code of a coding ``system`` (a URI) with its words, since or on which day.

    ``dose`` counts the doses of a vaccine from 1; ``detail`` is a dosage, a reaction, a lot number.
    """

    kind: EntryKind = attrs.field(converter=EntryKind)
    system: str = attrs.field(default="", validator=_text)
    code: str = attrs.field(default="", validator=_text)
    display: str = attrs.field(validator=_words, repr=False)
    on: dt.date | None = None
    dose: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(20)])
    detail: str = attrs.field(default="", validator=_text, repr=False)

    def id_for(self, patient: UUID) -> UUID:
        """Give the id of the entry in a patient's record: the same thing said again is the same entry."""
        what = self.code or self.display
        return derived_id("health entry", patient, self.kind, self.system, what, self.on or "", self.dose)


def write_entries(
    conn: Connection, city: City, patient: UUID, entries: Iterable[RecordEntry], *, source: str
) -> int:
    """Write what is not in the record yet, and return how many that were."""
    wanted = {one.id_for(patient): one for one in entries}
    query = select(entry_table.c.id)
    known = {row.id for row in select_in(conn, query, entry_table.c.id, sorted(wanted))}
    rows = [
        {
            "id": identity,
            "patient": patient,
            "kind": one.kind.value,
            "recorded_at": city.now_local(),
            "source": source[:80],
            "sealed": seal(city, patient, f"entry {identity}", _body(one)),
        }
        for identity, one in wanted.items()
        if identity not in known
    ]
    if rows:
        conn.execute(insert(entry_table), rows)
    return len(rows)


def entries_of(
    conn: Connection, city: City, patient: UUID, kind: EntryKind | None = None
) -> list[RecordEntry]:
    """Open a patient's record, oldest entry first. Whoever calls this notes the reading before."""
    query = select(entry_table).where(entry_table.c.patient == patient)
    if kind is not None:
        query = query.where(entry_table.c.kind == kind.value)
    rows = conn.execute(query.order_by(entry_table.c.recorded_at, entry_table.c.id)).all()
    return [_entry(open_sealed(city, patient, Phrase("entry {id}", id=row.id), row.sealed)) for row in rows]


def _body(one: RecordEntry) -> dict[str, object]:
    return attrs.asdict(one) | {"kind": one.kind.value, "on": one.on and one.on.isoformat()}


def _entry(body: dict[str, object]) -> RecordEntry:
    on = body["on"]
    given = body | {"on": dt.date.fromisoformat(str(on)) if on else None}
    return RecordEntry(**given)  # type: ignore[arg-type]
