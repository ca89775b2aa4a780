"""The record summary as an HL7 FHIR document (R4): a Bundle of Composition, Patient and a resource an entry.

Both ways it is checked by ``fhir.resources`` (its models of R4B, whose resources used here are those of R4).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from citycard.errors import Phrase
from citycard.ids import derived_id
from citycard.store import reading, writing
from citycard_health.errors import BundleInvalid
from citycard_health.patients import PatientPerson, find_patient, patient_of, person_of, write_person
from citycard_health.records import EntryKind, RecordEntry, entries_of, write_entries

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["CARD_SYSTEM", "MOST_BYTES", "bundle_of", "export_summary", "import_summary", "read_bundle"]

#: The system of identifiers that are numbers of city cards.
CARD_SYSTEM = "urn:citycard:asn"
MOST_BYTES = 2 * 1024 * 1024

_LOINC, _SUMMARY = "http://loinc.org", "60591-5"
_CLINICAL = "http://terminology.hl7.org/CodeSystem"
_SECTIONS = {
    EntryKind.ALLERGY: ("48765-2", "Allergies and adverse reactions"),
    EntryKind.CONDITION: ("11450-4", "Problem list"),
    EntryKind.MEDICATION: ("10160-0", "History of medication use"),
    EntryKind.IMMUNIZATION: ("11369-6", "History of immunization"),
}
_KINDS = {
    "AllergyIntolerance": EntryKind.ALLERGY,
    "Condition": EntryKind.CONDITION,
    "MedicationStatement": EntryKind.MEDICATION,
    "Immunization": EntryKind.IMMUNIZATION,
}
_CODES = {"MedicationStatement": "medicationCodeableConcept", "Immunization": "vaccineCode"}
_WHEN = {
    "AllergyIntolerance": "onsetDateTime",
    "Condition": "onsetDateTime",
    "MedicationStatement": "effectiveDateTime",
    "Immunization": "occurrenceDateTime",
}
_OTHERS = ("Composition", "Patient", "Practitioner", "Organization", "Device")
_LEFT_OUT = {"entered-in-error", "refuted", "not-done"}

Document = Mapping[str, Any]


# ── export ───────────────────────────────────────────────────────────────────────────────────────


def export_summary(city: City, asn: str) -> str:
    """Write a patient's summary as JSON; whoever calls this notes the reading before. Raise NotFound."""
    with reading(city.engine) as conn:
        owner = find_patient(conn, asn)
        person = person_of(city, conn, owner.id)
        entries = entries_of(conn, city, owner.id)
    at = city.clock.now().astimezone(city.timezone).replace(microsecond=0)
    return json.dumps(
        bundle_of(owner.id, asn, person, entries, at, city.config.city.name), ensure_ascii=False, indent=1
    )


def bundle_of(
    patient: UUID,
    asn: str,
    person: PatientPerson,
    entries: Sequence[RecordEntry],
    at: dt.datetime,
    author: str,
) -> dict[str, Any]:
    """Make the document of a patient; ``at`` is aware. Pure, and checked by the models before it is given."""
    subject = f"urn:uuid:{patient}"
    placed = [(f"urn:uuid:{one.id_for(patient)}", one) for one in entries]
    composition = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"coding": [{"system": _LOINC, "code": _SUMMARY, "display": "Patient summary Document"}]},
        "subject": {"reference": subject},
        "date": at.isoformat(),
        "author": [{"display": author}],
        "title": "Patient summary",
        "section": list(_sections(placed)),
    }
    resources = [(f"urn:uuid:{derived_id('composition', patient, at.isoformat())}", composition)]
    resources.append((subject, _patient(asn, person)))
    resources += [(url, _resource(one, subject)) for url, one in placed]
    document = {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": resources[0][0]},
        "type": "document",
        "timestamp": at.isoformat(),
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in resources],
    }
    _check(document)
    return document


def _sections(placed: Sequence[tuple[str, RecordEntry]]) -> Iterator[Document]:
    for kind, (code, title) in _SECTIONS.items():
        section: dict[str, Any] = {"title": title, "code": {"coding": [{"system": _LOINC, "code": code}]}}
        mine = [{"reference": url} for url, one in placed if one.kind is kind]
        empty = {
            "emptyReason": {"coding": [{"system": f"{_CLINICAL}/list-empty-reason", "code": "unavailable"}]}
        }
        yield section | ({"entry": mine} if mine else empty)


def _patient(asn: str, person: PatientPerson) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": [{"system": CARD_SYSTEM, "value": asn}],
        "gender": person.sex,
    }
    if person.name:
        found["name"] = [{"text": person.name}]
    if person.born:
        found["birthDate"] = person.born.isoformat()
    return found


def _resource(one: RecordEntry, subject: str) -> dict[str, Any]:
    kind = next(name for name, kind in _KINDS.items() if kind is one.kind)
    concept: dict[str, Any] = {"text": one.display}
    if one.code:
        coding = {"code": one.code, "display": one.display}
        concept["coding"] = [coding | ({"system": one.system} if one.system else {})]
    found: dict[str, Any] = {"resourceType": kind, _CODES.get(kind, "code"): concept}
    found["patient" if kind in {"AllergyIntolerance", "Immunization"} else "subject"] = {"reference": subject}
    if one.on:
        found[_WHEN[kind]] = one.on.isoformat()
    return found | _details(one)


def _details(one: RecordEntry) -> dict[str, Any]:
    note = {"note": [{"text": one.detail}]} if one.detail else {}
    if one.kind is EntryKind.ALLERGY:
        system = f"{_CLINICAL}/allergyintolerance-clinical"
        return note | {"clinicalStatus": {"coding": [{"system": system, "code": "active"}]}}
    if one.kind is EntryKind.CONDITION:
        system = f"{_CLINICAL}/condition-clinical"
        return note | {"clinicalStatus": {"coding": [{"system": system, "code": "active"}]}}
    if one.kind is EntryKind.MEDICATION:
        dosage = {"dosage": [{"text": one.detail}]} if one.detail else {}
        return dosage | {"status": "active"}
    found: dict[str, Any] = {"status": "completed"}
    if not one.on:
        found["occurrenceString"] = "unknown"
    if one.dose:
        found["protocolApplied"] = [{"doseNumberPositiveInt": one.dose}]
    if one.detail:
        found["lotNumber"] = one.detail
    return found


# ── import ───────────────────────────────────────────────────────────────────────────────────────


def import_summary(city: City, asn: str, data: bytes, *, source: str) -> int:
    """Take in a summary that another system made, and return how many entries are new.

    All of it is taken in, or nothing. Again it adds nothing. Raise BundleInvalid, which names the path.
    """
    person, entries = read_bundle(data, asn)
    with writing(city.engine) as conn:
        owner = patient_of(conn, asn, city.clock.now())
        if not person_of(city, conn, owner.id).name and person.name:
            write_person(conn, city, owner.id, person)
        return write_entries(conn, city, owner.id, entries, source=source)


def read_bundle(data: bytes, asn: str) -> tuple[PatientPerson, list[RecordEntry]]:
    """Read a document about the holder of a card. Pure. Raise BundleInvalid, which names the path.

    Entries that say of themselves that they were a mistake are left out.
    """
    document = _parsed(data)
    resources = _resources(document)
    _check(document)
    if document.get("type") != "document":
        raise BundleInvalid(path="Bundle.type", reason="expected document")
    if resources[0][1]["resourceType"] != "Composition":
        raise BundleInvalid(
            path="Bundle.entry[0].resource", reason="expected the Composition of the document"
        )
    subject, about = _subject(resources, asn)
    person, entries = PatientPerson(), list[RecordEntry]()
    for place, (_, resource) in enumerate(resources):
        path = f"Bundle.entry[{place}].resource"
        try:
            if resource is about:
                person = _person(resource)
            elif resource["resourceType"] in _KINDS:
                _about(resource, subject, path)
                entries += _entry(resource, path)
        except (AttributeError, TypeError, ValueError) as wrong:
            # The models let pass what has another shape than the text of the standard says.
            reason = str(wrong).split(":", maxsplit=1)[0][:200]
            raise BundleInvalid(path=path, reason=reason) from None
    return person, entries


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > MOST_BYTES:
        raise BundleInvalid(
            path="Bundle", reason=Phrase("it has more than {most_bytes} bytes", most_bytes=MOST_BYTES)
        )
    try:
        found = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BundleInvalid(path="Bundle", reason="expected JSON in UTF-8") from None
    if not isinstance(found, dict) or found.get("resourceType") != "Bundle":
        raise BundleInvalid(path="Bundle.resourceType", reason="expected Bundle")
    return found


def _resources(document: Document) -> list[tuple[str, dict[str, Any]]]:
    listed = document.get("entry")
    if not isinstance(listed, list) or not listed:
        raise BundleInvalid(path="Bundle.entry", reason="expected the entries of a document")
    found = []
    for place, one in enumerate(listed):
        path = f"Bundle.entry[{place}]"
        resource = one.get("resource") if isinstance(one, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(kind, str) or (kind not in _KINDS and kind not in _OTHERS):
            known = ", ".join((*_OTHERS, *_KINDS))
            raise BundleInvalid(
                path=f"{path}.resource.resourceType", reason=Phrase("expected one of {known}", known=known)
            )
        assert isinstance(resource, dict)
        found.append((str(one.get("fullUrl", "")), resource))
    return found


def _check(document: Document) -> None:
    from fhir.resources.R4B.bundle import Bundle
    from pydantic import ValidationError

    try:
        Bundle.model_validate(document)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise BundleInvalid(path=_path(first["loc"]), reason=first["msg"]) from None
    except (KeyError, TypeError, AttributeError) as wrong:
        # The models meet what is no resource at all, deep inside, with errors of their own.
        raise BundleInvalid(
            path="Bundle.entry", reason=Phrase("{wrong} is no resource of R4", wrong=wrong)
        ) from None


def _path(places: Sequence[int | str]) -> str:
    return "Bundle" + "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in places)


def _subject(resources: Sequence[tuple[str, dict[str, Any]]], asn: str) -> tuple[set[str], dict[str, Any]]:
    """Find the one patient of the document and the references that lead to it; check whose card it names."""
    patients = [
        (place, url, one) for place, (url, one) in enumerate(resources) if one["resourceType"] == "Patient"
    ]
    if len(patients) != 1:
        raise BundleInvalid(
            path="Bundle.entry", reason=Phrase("expected one Patient, there are {count}", count=len(patients))
        )
    place, url, patient = patients[0]
    cards = [one.get("value") for one in patient.get("identifier") or () if one.get("system") == CARD_SYSTEM]
    if cards != [asn]:
        path = f"Bundle.entry[{place}].resource.identifier"
        raise BundleInvalid(
            path=path,
            reason=Phrase(
                "expected card {asn} in {card_system}, as the one patient", asn=asn, card_system=CARD_SYSTEM
            ),
        )
    names = {url, f"Patient/{patient.get('id', '')}"} - {"", "Patient/"}
    _about(resources[0][1], names, "Bundle.entry[0].resource")
    return names, patient


def _about(resource: Document, names: set[str], path: str) -> None:
    field = "patient" if resource["resourceType"] in {"AllergyIntolerance", "Immunization"} else "subject"
    about = (resource.get(field) or {}).get("reference")
    if about not in names:
        raise BundleInvalid(path=f"{path}.{field}", reason="expected a reference to the document's Patient")


def _person(patient: Document) -> PatientPerson:
    names = patient.get("name") or [{}]
    text = names[0].get("text") or " ".join([*names[0].get("given", []), names[0].get("family", "")]).strip()
    return PatientPerson(
        name=text[:60], born=_day(patient.get("birthDate")), sex=patient.get("gender", "unknown")
    )


def _entry(resource: Document, path: str) -> list[RecordEntry]:
    kind = resource["resourceType"]
    states = [resource.get("status"), *_coded(resource.get("verificationStatus"))]
    if _LEFT_OUT.intersection(str(one) for one in states):
        return []
    field = _CODES.get(kind, "code")
    concept = resource.get(field) or {}
    coding = (concept.get("coding") or [{}])[0]
    display = concept.get("text") or coding.get("display") or coding.get("code")
    if not display:
        raise BundleInvalid(path=f"{path}.{field}", reason="expected a text, or a coding with a display")
    made = RecordEntry(
        kind=_KINDS[kind],
        system=coding.get("system", ""),
        code=coding.get("code", ""),
        display=display,
        on=_day(resource.get(_WHEN[kind])),
        dose=_dose(resource),
        detail=_detail(resource),
    )
    return [made]


def _coded(concept: Document | None) -> list[str]:
    return [one.get("code", "") for one in (concept or {}).get("coding") or []]


def _dose(resource: Document) -> int:
    applied = (resource.get("protocolApplied") or [{}])[0]
    number = applied.get("doseNumberPositiveInt", 0)
    return number if isinstance(number, int) else 0


def _detail(resource: Document) -> str:
    told = [
        resource.get("lotNumber"),
        *(one.get("text") for one in resource.get("dosage") or []),
        *(one.get("text") for one in resource.get("note") or []),
    ]
    return "; ".join(one for one in told if one)


def _day(text: str | None) -> dt.date | None:
    """Read a FHIR date or dateTime; of a month or a year, its first day."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is no date")
    day = text[:10]
    return dt.date.fromisoformat(day + "-01-01"[len(day) - 4 :] if len(day) < 10 else day)  # noqa: PLR2004
