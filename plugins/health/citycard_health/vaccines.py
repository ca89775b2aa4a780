"""Vaccinations: what is due by the city's schedule, what was given, and a certificate others can check."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from citycard.errors import CitycardError, Phrase
from citycard.keys import verify_signature
from citycard.store import reading, writing
from citycard_health.errors import VaccineRefused
from citycard_health.patients import HIERARCHY, PatientPerson, find_patient, patient_of, person_of
from citycard_health.records import EntryKind, RecordEntry, entries_of, write_entries
from citycard_health.settings import Vaccine

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_health.settings import HealthSettings

__all__ = [
    "CVX",
    "LOCAL",
    "DoseDue",
    "VaccineCertificate",
    "certificate",
    "certified",
    "check_dose",
    "due_doses",
    "give_dose",
]

#: The coding systems of vaccines: CVX, and the city's own codes where a vaccine has no CVX code.
CVX, LOCAL = "http://hl7.org/fhir/sid/cvx", "urn:citycard:vaccine"


@attrs.frozen(kw_only=True)
class DoseDue:
    """The next dose of a vaccine, counted from 1, and the first day on which it is to be given."""

    vaccine: str
    title: str
    title_zh: str
    dose: int
    on: dt.date


@attrs.frozen(kw_only=True)
class VaccineCertificate:
    """What a certificate says, as the text that is signed, with the signature in hexadecimal digits."""

    content: str
    signature: str


def due_doses(vaccines: Iterable[Vaccine], born: dt.date, given: Sequence[RecordEntry]) -> list[DoseDue]:
    """Say which dose of each vaccine comes next and when, by day; nothing for what is complete. Pure."""
    found = []
    for vaccine in vaccines:
        mine = _of(vaccine, given)
        number = len(mine)
        if number >= len(vaccine.doses):
            continue
        dose = vaccine.doses[number]
        on = born + dt.timedelta(days=dose.age_days)
        last = max((one.on for one in mine if one.on), default=None)
        if last is not None:
            on = max(on, last + dt.timedelta(days=dose.interval_days))
        found.append(
            DoseDue(
                vaccine=vaccine.code, title=vaccine.title, title_zh=vaccine.title_zh, dose=number + 1, on=on
            )
        )
    return sorted(found, key=lambda one: (one.on, one.vaccine))


def check_dose(
    vaccine: Vaccine, born: dt.date | None, given: Sequence[RecordEntry], on: dt.date, today: dt.date
) -> int:
    """Give the number of the dose that is given on a day; raise VaccineRefused when it may not be. Pure."""
    mine = _of(vaccine, given)
    if on > today or (born is not None and on < born):
        raise VaccineRefused(reason=Phrase("{on} is not between the birth and today", on=on))
    if len(mine) >= len(vaccine.doses):
        raise VaccineRefused(
            reason=Phrase(
                "all {count} doses of {code} were given", count=len(vaccine.doses), code=vaccine.code
            )
        )
    last = max((one.on for one in mine if one.on), default=None)
    interval = dt.timedelta(days=vaccine.doses[len(mine)].interval_days)
    if last is not None and on < last + interval:
        raise VaccineRefused(
            reason=Phrase(
                "the dose before was on {last}: not before {earliest}", last=last, earliest=last + interval
            )
        )
    return len(mine) + 1


def _of(vaccine: Vaccine, given: Sequence[RecordEntry]) -> list[RecordEntry]:
    system, code = _coded(vaccine)
    return [one for one in given if (one.system, one.code) == (system, code)]


def _coded(vaccine: Vaccine) -> tuple[str, str]:
    return (CVX, vaccine.cvx) if vaccine.cvx else (LOCAL, vaccine.code)


def give_dose(
    city: City, settings: HealthSettings, asn: str, code: str, on: dt.date, *, lot: str = "", source: str
) -> RecordEntry:
    """Record a dose that was given; the same dose on the same day again is recorded once.

    Raise VaccineRefused for an unknown vaccine, a day that cannot be, or a dose too soon or too many.
    """
    vaccine = settings.vaccine(code)
    if vaccine is None:
        known = ", ".join(one.code for one in settings.vaccines) or "none"
        raise VaccineRefused(
            reason=Phrase(
                "{code!r} is not in the city's schedule; there are {known}", code=code[:40], known=known
            )
        )
    with writing(city.engine) as conn:
        owner = patient_of(conn, asn, city.clock.now())
        given = entries_of(conn, city, owner.id, EntryKind.IMMUNIZATION)
        same = [one for one in _of(vaccine, given) if one.on == on]
        if same:
            return same[0]
        born = person_of(city, conn, owner.id).born
        number = check_dose(vaccine, born, given, on, city.now_local().date())
        system, word = _coded(vaccine)
        made = RecordEntry(
            kind=EntryKind.IMMUNIZATION,
            system=system,
            code=word,
            display=vaccine.title,
            on=on,
            dose=number,
            detail=lot,
        )
        write_entries(conn, city, owner.id, [made], source=source)
    return made


def certificate(city: City, asn: str) -> VaccineCertificate:
    """Certify what a patient was vaccinated with, signed by the key of health's own hierarchy."""
    with reading(city.engine) as conn:
        owner = find_patient(conn, asn)
        person = person_of(city, conn, owner.id)
        given = entries_of(conn, city, owner.id, EntryKind.IMMUNIZATION)
    content = json.dumps(_content(city, asn, person, given), ensure_ascii=False, sort_keys=True)
    return VaccineCertificate(
        content=content, signature=city.hierarchy(HIERARCHY).sign(content.encode()).hex()
    )


def _content(city: City, asn: str, person: PatientPerson, given: Sequence[RecordEntry]) -> dict[str, object]:
    return {
        "city": city.config.city.name,
        "card": asn,
        "name": person.name,
        "born": person.born and person.born.isoformat(),
        "issued_on": city.now_local().date().isoformat(),
        "doses": [
            {
                "vaccine": one.display,
                "system": one.system,
                "code": one.code,
                "dose": one.dose,
                "on": one.on and one.on.isoformat(),
            }
            for one in given
        ],
    }


def certified(public_key_pem: str, certificate: VaccineCertificate) -> bool:
    """Say whether a certificate is as a city signed it; ``public_key_pem`` is of its health hierarchy."""
    try:
        signature = bytes.fromhex(certificate.signature)
        return verify_signature(public_key_pem, certificate.content.encode(), signature)
    except (ValueError, CitycardError):
        return False
