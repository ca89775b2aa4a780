"""Vaccinations: the schedule says what is due, and a certificate can be checked by others."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.store import reading
from citycard_health.errors import VaccineRefused
from citycard_health.patients import PatientPerson, find_patient, set_person
from citycard_health.records import EntryKind, RecordEntry, entries_of
from citycard_health.settings import Dose, Vaccine
from citycard_health.vaccines import LOCAL, certificate, certified, check_dose, due_doses, give_dose

BORN = dt.date(2025, 7, 1)
MMR = Vaccine(
    code="mmr",
    title="MMR",
    doses=(Dose(age_days=240), Dose(age_days=540, interval_days=28), Dose(age_days=540, interval_days=28)),
)


def dose(number, on):
    return RecordEntry(
        kind=EntryKind.IMMUNIZATION, system=LOCAL, code="mmr", display="MMR", on=on, dose=number
    )


def test_the_next_dose_is_due_at_its_age_and_not_before_its_interval():
    """Nothing for what is complete."""
    (first,) = due_doses([MMR], BORN, [])
    assert (first.dose, first.on) == (1, BORN + dt.timedelta(days=240))
    late = BORN + dt.timedelta(days=600)
    (second,) = due_doses([MMR], BORN, [dose(1, late)])
    assert (second.dose, second.on) == (2, late + dt.timedelta(days=28))
    assert due_doses([MMR], BORN, [dose(1, late), dose(2, late), dose(3, late)]) == []


@given(st.lists(st.integers(0, 400), min_size=3, max_size=3))
def test_a_dose_on_the_day_it_is_due_is_never_refused(waits):
    """Whoever comes on that day or later gets it, until the schedule is complete."""
    given_doses, today = [], dt.date(2030, 1, 1)
    for number, wait in enumerate(waits, 1):
        (due,) = due_doses([MMR], BORN, given_doses)
        on = due.on + dt.timedelta(days=wait)
        assert check_dose(MMR, BORN, given_doses, on, today) == number == due.dose
        given_doses.append(dose(number, on))
    assert due_doses([MMR], BORN, given_doses) == []


def test_doses_that_cannot_be_are_refused(town, settings):
    """Too soon, too many, before the birth, tomorrow, of no such vaccine; the same again is once."""
    city, card = town.city, town.card()
    set_person(city, card.asn, PatientPerson(name="王小明", born=BORN, sex="male"))
    made = give_dose(city, settings, card.asn, "mmr", dt.date(2026, 2, 27), lot="L1", source="clinic-east")
    assert give_dose(city, settings, card.asn, "mmr", dt.date(2026, 2, 27), source="x") == made
    assert (made.dose, made.code) == (1, "03")
    for code, on, said in (
        ("mmr", dt.date(2026, 3, 1), "not before 2026-03-27"),
        ("mmr", dt.date(2026, 3, 3), "between the birth and today"),
        ("flu", dt.date(2025, 6, 30), "between the birth and today"),
        ("gold", dt.date(2026, 3, 1), "there are mmr, flu"),
    ):
        with pytest.raises(VaccineRefused, match=said):
            give_dose(city, settings, card.asn, code, on, source="x")
    give_dose(city, settings, card.asn, "flu", dt.date(2026, 1, 1), source="x")
    with pytest.raises(VaccineRefused, match="all 1 doses"):
        give_dose(city, settings, card.asn, "flu", dt.date(2026, 2, 1), source="x")


def test_a_certificate_is_checked_by_the_public_key_of_healths_hierarchy(town, settings):
    """One word changed, or the city's other key, and it does not hold."""
    city, card = town.city, town.card()
    set_person(city, card.asn, PatientPerson(name="王小明", born=BORN, sex="male"))
    give_dose(city, settings, card.asn, "mmr", dt.date(2026, 2, 27), source="clinic-east")
    made = certificate(city, card.asn)
    key = city.hierarchy("health").public_key_pem()
    assert "王小明" in made.content
    assert certified(key, made)
    assert not certified(key, attrs.evolve(made, content=made.content.replace("王小明", "王大明")))
    assert not certified(key, attrs.evolve(made, signature="00"))
    assert not certified(city.vault.public_key_pem(), made)


def test_the_record_is_sealed(town, settings):
    """No word of it stands in the table."""
    city, card = town.city, town.card()
    give_dose(city, settings, card.asn, "flu", dt.date(2026, 1, 1), lot="LOT-7", source="x")
    with reading(city.engine) as conn:
        raw = conn.exec_driver_sql("SELECT sealed FROM health_entry").scalar_one()
        assert b"LOT-7" not in raw
        (found,) = entries_of(conn, city, find_patient(conn, card.asn).id)
    assert found.detail == "LOT-7"
