"""Personal data in a city: sealed by its vault, so that whoever copies the database learns nothing."""

from __future__ import annotations

import pytest

from citycard.city import City
from citycard.errors import RegistryInvalid, SealBroken
from citycard.ids import new_id
from citycard.registry import AesGcmSealer, Holder, read_holder
from citycard.store import writing

PERSON = Holder(id=new_id(), name="王伟", id_number="440301199001011234")


def test_what_is_added_is_sealed_by_the_vault_without_a_key_being_passed(city):
    assert city.holders.add([PERSON]) == 1
    assert city.holders.add([PERSON]) == 0
    stored = b"".join(path.read_bytes() for path in city.folder.glob("city.sqlite*"))
    assert PERSON.name.encode() not in stored
    assert PERSON.id_number.encode() not in stored
    with writing(city.engine) as conn, pytest.raises(SealBroken):
        read_holder(conn, PERSON.id, sealer=AesGcmSealer(bytes(32)), reader="thief", purpose="gain")


def test_it_is_read_by_name_and_for_a_reason_also_after_opening_the_city_again(city, clock):
    city.holders.add([PERSON])
    again = City.open(city.folder, clock=clock)
    assert again.holders.read(PERSON.id, reader="clerk-7", purpose="lost card") == PERSON
    again.close()
    assert [(one.reader, one.purpose, one.at) for one in city.holders.reads(PERSON.id)] == [
        ("clerk-7", "lost card", clock.now())
    ]
    with pytest.raises(RegistryInvalid):
        city.holders.read(PERSON.id, reader="clerk-7", purpose=" ")
