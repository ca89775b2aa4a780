"""What is kept about a person is handed over and erased; who read the file stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import select

from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.testing.town import Town
from citycard_egov import register
from citycard_egov.errors import ResidentUnknown
from citycard_egov.files import FileReader, read_file
from citycard_egov.filing import file_application
from citycard_egov.lines import citizen_lines
from citycard_egov.office import Office
from citycard_egov.personal import PERSONAL_DATA
from citycard_egov.tables import reading_log


def test_a_residents_data_is_handed_over_and_erased(
    town: Town, office: Office, number: Callable[..., str]
) -> None:
    card = town.card()
    for who, source in ((number(1), "civil-affairs"), (number(1), "police"), (number(2), "police")):
        register.tell(office, who, source, {"address": source}, day=dt.date(2026, 2, 1), actor="test")
    who = register.link_card(office, number(1), card.asn, actor="clerk")
    file_application(office, new_id(), who, card.asn, "hearing", {}, actor="me")
    read_file(office, who, FileReader(name="clerk", department="police", why="question"))
    assert [line.title for line in citizen_lines(office, card.asn)] == [
        "Application: Hearing, open",
        "Police read your file: question",
    ]
    with reading(office.engine) as conn:
        facts = list(PERSONAL_DATA.export(conn, card.asn))
    assert [next(iter(one)) for one in facts] == ["told", "told", "read by", "application"]
    with writing(office.engine) as conn:
        assert PERSONAL_DATA.erase(conn, card.asn) > 5
        assert PERSONAL_DATA.erase(conn, card.asn) == 0
    with reading(office.engine) as conn:
        assert list(PERSONAL_DATA.export(conn, card.asn)) == []
        with pytest.raises(ResidentUnknown):
            register.find_by_number(conn, office, number(1))
        assert register.find_by_number(conn, office, number(2))
        assert len(conn.execute(select(reading_log)).all()) == 1
    assert list(citizen_lines(office, card.asn)) == []
