from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from citycard.errors import RegistryInvalid, RegistryMissing
from citycard.registry import (
    AesGcmSealer,
    Holder,
    HolderRead,
    add_holders,
    assign_card,
    cards_of_holder,
    holder_reads,
    read_holder,
)
from citycard.registry.tables import holder

ONE = f"{1:020d}"
PERSON = Holder(id=UUID(int=5), name="王伟", id_number="440301199001011234")
AT = datetime(2018, 9, 1, tzinfo=UTC)


@pytest.fixture
def sealer():
    return AesGcmSealer(bytes(range(32)))


@pytest.fixture
def kept(conn, sealer):
    assert add_holders(conn, [PERSON], sealer=sealer) == 1
    assert add_holders(conn, [PERSON], sealer=sealer) == 0
    return conn


def test_the_database_holds_no_name_and_no_number(kept):
    row = kept.execute(select(holder)).one()
    stored = bytes(row.name_sealed) + bytes(row.id_number_sealed)
    assert PERSON.name.encode() not in stored
    assert PERSON.id_number.encode() not in stored


def test_who_reads_a_person_is_written_down(kept, sealer):
    read = read_holder(kept, PERSON.id, sealer=sealer, reader="clerk-7", purpose="lost card", at=AT)
    assert read == PERSON
    assert holder_reads(kept, PERSON.id) == [
        HolderRead(holder=PERSON.id, reader="clerk-7", purpose="lost card", at=AT)
    ]


@pytest.mark.parametrize(("reader", "purpose"), [("", "lost card"), ("clerk-7", "  ")])
def test_nobody_reads_without_a_name_and_a_reason(kept, sealer, reader, purpose):
    with pytest.raises(RegistryInvalid, match="who reads it and why"):
        read_holder(kept, PERSON.id, sealer=sealer, reader=reader, purpose=purpose)


def test_the_log_cannot_be_changed(kept, sealer):
    read_holder(kept, PERSON.id, sealer=sealer, reader="clerk-7", purpose="lost card")
    with pytest.raises(DBAPIError, match="append-only"), kept.begin_nested():
        kept.execute(text("DELETE FROM holder_read"))


def test_an_unknown_person_is_not_read(kept, sealer):
    with pytest.raises(RegistryMissing, match="holder"):
        read_holder(kept, UUID(int=6), sealer=sealer, reader="clerk-7", purpose="lost card")


def test_a_card_is_given_to_a_person_and_taken_back(kept):
    assign_card(kept, ONE, PERSON.id)
    assert [card.asn for card in cards_of_holder(kept, PERSON.id)] == [ONE]
    assign_card(kept, ONE, None)
    assert cards_of_holder(kept, PERSON.id) == []
    with pytest.raises(RegistryMissing, match="holder"):
        assign_card(kept, ONE, UUID(int=6))
    with pytest.raises(RegistryMissing, match="card '7'"):
        assign_card(kept, "7", PERSON.id)
