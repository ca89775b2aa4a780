"""Summaries in HL7 FHIR: what goes out is valid and comes in again; what is wrong is refused by its path."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import json

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given
from hypothesis import strategies as st

from citycard.ids import new_id
from citycard.store import reading, writing
from citycard_health.errors import BundleInvalid
from citycard_health.fhir import CARD_SYSTEM, bundle_of, export_summary, import_summary, read_bundle
from citycard_health.patients import PatientPerson, find_patient, patient_of, person_of, set_person
from citycard_health.records import EntryKind, RecordEntry, entries_of, write_entries

ASN = "01010199010000000001"
SNOMED = "http://snomed.info/sct"
ENTRIES = [
    RecordEntry(kind="allergy", system=SNOMED, code="91936005", display="青霉素过敏", detail="rash"),
    RecordEntry(
        kind="condition", system=SNOMED, code="38341003", display="Hypertension", on=dt.date(2020, 5, 1)
    ),
    RecordEntry(kind="medication", display="Amlodipine 5 mg", on=dt.date(2020, 5, 2), detail="once a day"),
    RecordEntry(
        kind="immunization",
        system="http://hl7.org/fhir/sid/cvx",
        code="03",
        display="MMR",
        on=dt.date(2026, 2, 27),
        dose=1,
        detail="L1",
    ),
]
PERSON = PatientPerson(name="王小明", born=dt.date(1970, 1, 31), sex="male")
AT = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))


@pytest.fixture(scope="module")
def document():
    return bundle_of(new_id(), ASN, PERSON, ENTRIES, AT, "Haibin")


def test_a_document_has_each_resource_and_is_valid_r4(document):
    """Composition first, then the patient, then a resource for each entry, in its section."""
    bundle = Bundle.model_validate(document)
    kinds = [one.resource.get_resource_type() for one in bundle.entry]
    assert kinds == [
        "Composition",
        "Patient",
        "AllergyIntolerance",
        "Condition",
        "MedicationStatement",
        "Immunization",
    ]
    composition, patient = bundle.entry[0].resource, bundle.entry[1].resource
    assert bundle.type == "document"
    assert patient.identifier[0].value == ASN
    referred = {one.reference for section in composition.section for one in section.entry or []}
    assert referred == {one.fullUrl for one in bundle.entry[2:]}


def test_what_is_exported_is_read_back(document):
    """Person and entries, each field."""
    person, entries = read_bundle(json.dumps(document).encode(), ASN)
    assert (person, entries) == (PERSON, ENTRIES)


@given(
    st.lists(
        st.builds(
            RecordEntry,
            kind=st.sampled_from([EntryKind.ALLERGY, EntryKind.CONDITION, EntryKind.MEDICATION]),
            display=st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=60),
            code=st.from_regex(r"[A-Za-z0-9-]{1,20}", fullmatch=True),
            system=st.just(SNOMED),
            on=st.one_of(st.none(), st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))),
        ),
        max_size=5,
    )
)
def test_any_record_goes_out_and_comes_in_the_same(entries):
    """Whatever it says."""
    made = bundle_of(new_id(), ASN, PERSON, entries, AT, "Haibin")
    assert read_bundle(json.dumps(made).encode(), ASN) == (PERSON, entries)


BAD = {
    "Bundle.type": lambda d: d.update(type="collection"),
    "Bundle.entry[0].resource.title": lambda d: d["entry"][0]["resource"].update(title=7),
    "Bundle.entry[0].resource": lambda d: d["entry"].insert(0, d["entry"].pop(1)),
    "Bundle.entry[1].resource.birthDate": lambda d: d["entry"][1]["resource"].update(birthDate="1970-13-01"),
    "Bundle.entry[1].resource.identifier": lambda d: d["entry"][1]["resource"].update(
        identifier=[{"system": CARD_SYSTEM, "value": "01010199010000000002"}]
    ),
    "Bundle.entry[2].resource.patient": lambda d: d["entry"][2]["resource"].update(
        patient={"reference": "urn:uuid:somebody-else"}
    ),
    "Bundle.entry[3].resource.code": lambda d: d["entry"][3]["resource"].pop("code"),
    "Bundle.entry[4].resource": lambda d: d["entry"][4]["resource"].pop("medicationCodeableConcept"),
    "Bundle.entry[4].resource.dose": lambda d: d["entry"][4]["resource"].update(dose=1),
    "Bundle.entry[5].resource.resourceType": lambda d: d["entry"][5]["resource"].update(resourceType="Gold"),
    "Bundle.entry[5].resource.status": lambda d: d["entry"][5]["resource"].update(status=None),
    "Bundle.entry": lambda d: d.update(entry=[]),
    "Bundle.resourceType": lambda d: d.update(resourceType="Patient"),
}


@pytest.mark.parametrize("path", BAD)
def test_a_bad_document_is_refused_by_its_path(document, path):
    """The path leads to what is wrong."""
    wrong = copy.deepcopy(document)
    BAD[path](wrong)
    with pytest.raises(BundleInvalid) as refused:
        read_bundle(json.dumps(wrong).encode(), ASN)
    assert refused.value.data["path"] == path


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"\xff", b'{"resourceType": "Bundle"}', b"[" * 100_000, b" " * (3 * 1024 * 1024)],
)
def test_what_is_no_document_is_refused(data):
    """Empty, broken, not UTF-8, deep, too large."""
    with pytest.raises(BundleInvalid):
        read_bundle(data, ASN)


@given(st.data())
def test_any_change_of_a_document_is_refused_by_name_or_read(document, data):
    """A value replaced anywhere: never another error than BundleInvalid."""
    wrong = copy.deepcopy(document)
    place = wrong
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
        if data.draw(st.booleans()) or not isinstance(place[key], dict | list):
            place[key] = data.draw(st.sampled_from([None, 7, "x", [], {}, [None], ["x"], True, -1.5]))
            break
        place = place[key]
    with contextlib.suppress(BundleInvalid):
        read_bundle(json.dumps(wrong).encode(), ASN)


def test_a_summary_travels_from_one_city_to_another_and_adds_nothing_twice(town):
    """Export, import for the same card elsewhere, and again."""
    city, card = town.city, town.card("health-card")
    set_person(city, card.asn, PERSON)
    with writing(city.engine) as conn:
        owner = patient_of(conn, card.asn, city.clock.now())
        assert write_entries(conn, city, owner.id, ENTRIES, source="clinic-east") == 4
    text = export_summary(city, card.asn).encode()
    assert import_summary(city, card.asn, text, source="file") == 0

    other = town.card("health-card")
    moved = text.replace(card.asn.encode(), other.asn.encode())
    assert import_summary(city, other.asn, moved, source="file") == 4
    assert import_summary(city, other.asn, moved, source="file") == 0
    with reading(city.engine) as conn:
        found = find_patient(conn, other.asn)
        assert person_of(city, conn, found.id) == PERSON
        read = entries_of(conn, city, found.id)
    assert sorted(read, key=repr) == sorted(ENTRIES, key=repr)
    with pytest.raises(BundleInvalid):
        import_summary(city, other.asn, text, source="file")
