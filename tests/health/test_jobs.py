"""The checks of health, and the keys that it needs before anything is sealed."""

from __future__ import annotations

import pytest

from citycard.cli.main import main
from citycard.errors import CitycardError, KeyHierarchyMissing
from citycard.testing.town import Town
from citycard_health.emergency import EmergencyTerminal
from citycard_health.patients import PatientPerson, set_person
from citycard_health.sectors import EmergencyData, EmergencyReason


def test_a_city_is_told_to_make_healths_keys_and_they_are_not_its_own(tmp_path, content):
    """Until then nothing is written; afterwards no key of the city opens what they seal."""
    town = Town.make(tmp_path, domains=["health"], settings={"health": content})
    city, card = town.city, town.card("health-card")
    assert "health" in city.plugins.health()[0][1]
    with pytest.raises(KeyHierarchyMissing):
        set_person(city, card.asn, PatientPerson(name="王小明"))
    with pytest.raises(SystemExit) as left:
        main(["key", "hierarchy", "create", "health", "--city", str(city.folder)])
    assert not left.value.code
    assert [said for _, said in city.plugins.health()] == [None] * 4
    set_person(city, card.asn, PatientPerson(name="王小明"))

    till = town.till(town.terminal("clinic-east"))
    EmergencyTerminal(till, city.hierarchy("health")).write(
        card.reader, town.now, EmergencyData(allergies="Nuts"), staff="Dr Wang"
    )
    with pytest.raises(CitycardError, match="health-emergency"):
        EmergencyTerminal(till, city.vault).read(
            card.reader, town.now, reason=EmergencyReason.ACCIDENT, staff="Somebody"
        )
    town.close()
