"""Patients: whose card it is, what is known of them, sealed by health's own keys, and who looked."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from citycard import registry
from citycard.errors import Phrase, RegistryMissing, SealBroken
from citycard.ids import derived_id
from citycard.registry import CardStatus
from citycard.store import writing
from citycard_health.errors import NotFound, SealedBroken, VisitRefused
from citycard_health.files import read_rows
from citycard_health.tables import patient as patient_table
from citycard_health.tables import reading_log

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.keys.backend import Sealing
    from citycard_health.settings import HealthSettings

__all__ = [
    "HIERARCHY",
    "HealthReading",
    "Patient",
    "PatientPerson",
    "check_card",
    "find_patient",
    "hold_patient",
    "import_insured",
    "note_reading",
    "open_sealed",
    "patient_of",
    "person_of",
    "readings_of",
    "seal",
    "set_person",
    "write_person",
]

HIERARCHY = "health"
_SEAL = "health"
_ASN = re.compile(r"[0-9]{20}")
_CHUNK = 500


@attrs.frozen(kw_only=True)
class Patient:
    """Somebody with a health record: ``asn`` is the card it was opened with; it follows the holder."""

    id: UUID
    asn: str
    holder: UUID | None
    plan: str
    insured_until: dt.date | None

    def plan_on(self, day: dt.date) -> str:
        """Give the insurance plan that covers a day; empty when none does."""
        covered = self.insured_until is not None and day <= self.insured_until
        return self.plan if covered else ""


@attrs.frozen(kw_only=True)
class PatientPerson:
    """What identifies a patient to a doctor; ``sex`` is a code of FHIR."""

    name: str = attrs.field(
        default="", repr=False, validator=[attrs.validators.instance_of(str), attrs.validators.max_len(60)]
    )
    born: dt.date | None = attrs.field(default=None, repr=False)
    sex: str = attrs.field(
        default="unknown", validator=attrs.validators.in_(("male", "female", "other", "unknown"))
    )


@attrs.frozen(kw_only=True)
class HealthReading:
    """One look at somebody's health data; ``break_glass`` when nobody but the reason allowed it."""

    at: dt.datetime
    reader: str
    what: str
    reason: str
    break_glass: bool


# ── what is sealed ───────────────────────────────────────────────────────────────────────────────


def seal(city: City, patient: UUID, what: str, body: Mapping[str, Any]) -> bytes:
    """Seal what is known of a patient, so that it opens for this patient and this purpose only."""
    words = {"patient": patient.hex, "what": what, "body": dict(body)}
    return _sealer(city).seal(json.dumps(words, ensure_ascii=False).encode())


def open_sealed(city: City, patient: UUID, what: str, sealed: bytes) -> dict[str, Any]:
    """Open what was sealed for a patient; raise SealedBroken."""
    try:
        words = json.loads(_sealer(city).open(sealed))
    except (SealBroken, ValueError):
        raise SealedBroken(what=what, patient=patient) from None
    if (words["patient"], words["what"]) != (patient.hex, what):
        raise SealedBroken(what=what, patient=patient)
    body: dict[str, Any] = words["body"]
    return body


def _sealer(city: City) -> Sealing:
    return city.hierarchy(HIERARCHY).sealer(_SEAL)


# ── who it is ────────────────────────────────────────────────────────────────────────────────────


def check_card(asn: str) -> None:
    """Raise NotFound for what is not the 20 digits of a card, before any database is asked."""
    if not _ASN.fullmatch(asn):
        raise NotFound(what="card", name=repr(asn[:20]))


def find_patient(conn: Connection, asn: str) -> Patient:
    """Give the patient of a card; raise NotFound when nothing is known of its holder."""
    found = _known(conn, asn)
    if found is None:
        raise NotFound(what="patient with card", name=asn[:20])
    return found


def patient_of(conn: Connection, asn: str, at: dt.datetime, *, in_use: bool = True) -> Patient:
    """Give the patient of a card, opened now when there was none; ``at`` is aware.

    The health record belongs to the holder: another card of the same holder leads to the same patient.
    Raise RegistryMissing, or VisitRefused for a card that is not in use, where it has to be (``in_use``).
    """
    check_card(asn)
    card = registry.find_card(conn, asn)
    if in_use and card.status is not CardStatus.ISSUED:
        raise VisitRefused(reason=Phrase("card {asn} is {status}, not in use", asn=asn, status=card.status))
    found = _known(conn, asn)
    if found is not None:
        return found
    identity = derived_id("health patient", asn)
    made = Patient(id=identity, asn=asn, holder=card.holder, plan="", insured_until=None)
    # Whoever opens the same record at the same moment waits here, and finds it.
    new = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    row = attrs.asdict(made) | {"sealed": None, "created_at": at}
    conn.execute(new(patient_table).values(row).on_conflict_do_nothing())
    return _known(conn, asn) or made


def hold_patient(conn: Connection, patient: UUID) -> Patient:
    """Give a patient, held until the transaction ends, so that acts with it form a queue."""
    query = select(patient_table).where(patient_table.c.id == patient).with_for_update()
    return _patient(conn.execute(query).one())


def _known(conn: Connection, asn: str) -> Patient | None:
    check_card(asn)
    row = conn.execute(select(patient_table).where(patient_table.c.asn == asn)).one_or_none()
    if row is not None:
        return _patient(row)
    holder = registry.find_card(conn, asn).holder
    if holder is None:
        return None
    row = conn.execute(
        select(patient_table).where(patient_table.c.holder == holder).order_by(patient_table.c.created_at)
    ).first()
    return None if row is None else _patient(row)


def _patient(row: Row[Any]) -> Patient:
    return Patient(**{field.name: getattr(row, field.name) for field in attrs.fields(Patient)})


def set_person(city: City, asn: str, person: PatientPerson) -> Patient:
    """Say who a patient is; what was said before is replaced."""
    with writing(city.engine) as conn:
        found = patient_of(conn, asn, city.clock.now())
        write_person(conn, city, found.id, person)
    return found


def write_person(conn: Connection, city: City, patient: UUID, person: PatientPerson) -> None:
    """Seal who a patient is, in the caller's transaction."""
    body = {"name": person.name, "born": person.born and person.born.isoformat(), "sex": person.sex}
    sealed = seal(city, patient, "person", body)
    conn.execute(update(patient_table).where(patient_table.c.id == patient).values(sealed=sealed))


def person_of(city: City, conn: Connection, patient: UUID) -> PatientPerson:
    """Open who a patient is; an empty PatientPerson when nobody said it."""
    sealed = conn.scalar(select(patient_table.c.sealed).where(patient_table.c.id == patient))
    if not sealed:
        return PatientPerson()
    body = open_sealed(city, patient, "person", sealed)
    born = body["born"]
    return PatientPerson(
        name=body["name"], born=dt.date.fromisoformat(born) if born else None, sex=body["sex"]
    )


# ── who is insured ───────────────────────────────────────────────────────────────────────────────


def import_insured(city: City, settings: HealthSettings, data: bytes, *, file: str) -> int:
    """Take in who is insured: CSV of ``card,plan,until``; all of it, or nothing. Return the lines.

    An empty plan ends a card's insurance. Raise FileInvalid.
    """
    plans, seen = ["", *(plan.name for plan in settings.plans)], set[str]()
    wanted = []
    for row in read_rows(data, ("card", "plan", "until"), file=file):
        asn = row.card("card")
        if asn in seen:
            raise row.refuse("card", Phrase("{asn} stands in an earlier line already", asn=asn))
        seen.add(asn)
        plan = row.one_of("plan", plans)
        wanted.append((row, asn, plan, row.day("until") if plan else None))
    with writing(city.engine) as conn:
        for row, asn, plan, until in wanted:
            try:
                found = patient_of(conn, asn, city.clock.now())
            except (RegistryMissing, VisitRefused) as wrong:
                raise row.refuse("card", str(wrong)) from None
            mine = update(patient_table).where(patient_table.c.id == found.id)
            conn.execute(mine.values(plan=plan, insured_until=until))
    return len(wanted)


# ── who looked ───────────────────────────────────────────────────────────────────────────────────


def note_reading(conn: Connection, identity: UUID, patient: UUID, reading: HealthReading) -> bool:
    """Record that somebody reads health data, before it is shown; say whether it is new."""
    known = select(reading_log.c.seq).where(reading_log.c.id == identity)
    if conn.scalar(known) is not None:
        return False
    conn.execute(insert(reading_log), attrs.asdict(reading) | {"id": identity, "patient": patient})
    return True


def readings_of(conn: Connection, patient: UUID, *, limit: int = 50) -> list[HealthReading]:
    """List the latest looks at a patient's data, newest first."""
    query = (
        select(reading_log)
        .where(reading_log.c.patient == patient)
        .order_by(reading_log.c.at.desc(), reading_log.c.seq.desc())
        .limit(limit)
    )
    names = [field.name for field in attrs.fields(HealthReading)]
    return [HealthReading(**{name: getattr(row, name) for name in names}) for row in conn.execute(query)]
