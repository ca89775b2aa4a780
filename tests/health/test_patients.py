"""Patients: the record follows the holder, files are taken in whole, and readings are never changed."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import attrs
import pytest
from sqlalchemy.exc import DatabaseError

from citycard import registry
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard_health.errors import FileInvalid, NotFound
from citycard_health.patients import (
    HealthReading,
    PatientPerson,
    find_patient,
    import_insured,
    note_reading,
    patient_of,
    person_of,
    set_person,
)
from citycard_health.privacy import PERSONAL_DATA
from citycard_health.records import RecordEntry, write_entries
from citycard_health.visits import VisitItem, charge_visit

HEAD = "card,plan,until\n"


def test_another_card_of_the_same_holder_leads_to_the_same_patient(town):
    """As when a card is replaced."""
    city, today = town.city, town.now.date()
    holder = registry.Holder(id=uuid4(), name="王小明")
    city.holders.add([holder])
    cards = [city.issuing.card(f"0101990100{99 + n:010d}", "health-card", today) for n in range(2)]
    with writing(city.engine) as conn:
        registry.add_cards(conn, [attrs.evolve(card, holder=holder.id) for card in cards])
        first = patient_of(conn, cards[0].asn, city.clock.now())
        assert patient_of(conn, cards[1].asn, city.clock.now()) == first
        assert find_patient(conn, cards[1].asn).id == first.id


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("1,employee,2026-12-31", "card"),
        ("01019901000000000099,employee,2026-12-31", "card"),
        ("{card},gold,2026-12-31", "plan"),
        ("{card},employee,soon", "until"),
        ("{card},employee", "line"),
        ("{other},employee,2026-12-31", "card"),
    ],
)
def test_a_bad_line_of_insured_refuses_the_file(town, settings, line, field):
    """By line and field; nobody of it is insured."""
    card, other = town.card(), town.card()
    text = f"{HEAD}{other.asn},employee,2026-12-31\n" + line.format(card=card.asn, other=other.asn) + "\n"
    with pytest.raises(FileInvalid) as refused:
        import_insured(town.city, settings, text.encode(), file="insured.csv")
    assert (refused.value.data["line"], refused.value.data["field"]) == (3, field)
    with reading(town.city.engine) as conn, pytest.raises(NotFound):
        find_patient(conn, other.asn)


def test_an_empty_plan_ends_insurance(town, settings, insure):
    """The newest file counts."""
    card = town.card()
    insure(card)
    with reading(town.city.engine) as conn:
        assert find_patient(conn, card.asn).plan_on(date(2026, 12, 31)) == "employee"
        assert find_patient(conn, card.asn).plan_on(date(2027, 1, 1)) == ""
    import_insured(town.city, settings, f"{HEAD}{card.asn},,\n".encode(), file="insured.csv")
    with reading(town.city.engine) as conn:
        assert find_patient(conn, card.asn).plan_on(date(2026, 3, 2)) == ""


def test_the_log_of_readings_is_never_changed(town):
    """Not by the program either."""
    city, card = town.city, town.card()
    with writing(city.engine) as conn:
        owner = patient_of(conn, card.asn, city.clock.now()).id
        read = HealthReading(at=town.now, reader="x", what="y", reason="z", break_glass=False)
        identity = new_id()
        assert note_reading(conn, identity, owner, read)
        assert not note_reading(conn, identity, owner, read)
    for statement in ("UPDATE health_reading SET reason = 'other'", "DELETE FROM health_reading"):
        with pytest.raises(DatabaseError, match="append-only"), writing(city.engine) as conn:
            conn.exec_driver_sql(statement)


def test_what_is_known_is_handed_over_and_erased(town, settings):
    """What was paid stays in the books, and says no more what for."""
    city, card = town.city, town.card()
    set_person(city, card.asn, PatientPerson(name="王小明"))
    charge_visit(city, settings, new_id(), card.asn, "clinic-east", [VisitItem(code="blood")])
    with writing(city.engine) as conn:
        owner = patient_of(conn, card.asn, city.clock.now()).id
        write_entries(conn, city, owner, [RecordEntry(kind="allergy", display="Nuts")], source="x")
        told = list(PERSONAL_DATA.export(conn, card.asn))
        assert [next(iter(one)) for one in told] == ["plan", "visit", "record"]
        assert PERSONAL_DATA.erase(conn, card.asn) == 3
        assert person_of(city, conn, owner) == PatientPerson()
        assert PERSONAL_DATA.erase(conn, "0" * 20) == 0
    assert town.city.plugins.health()[1][1] is None
