"""Rights follow from what departments told, to the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from citycard.store import reading
from citycard.testing.town import Town
from citycard_egov import register
from citycard_egov.errors import ResidentCardInvalid, ResidentUnknown
from citycard_egov.office import Office
from citycard_egov.rights import collect_fee, entitlements_of, rights_of, write_rights
from citycard_egov.sectors import RESIDENT_KEY

DAY = dt.date(2026, 2, 1)


def rights(office: Office, who: str, on: dt.date) -> dict[str, dt.date | None]:
    with reading(office.engine) as conn:
        return rights_of(conn, office, register.find_by_number(conn, office, who), on)


@pytest.mark.parametrize(
    ("born", "on", "held"),
    [
        ("1961-03-02", dt.date(2026, 3, 1), False),
        ("1961-03-02", dt.date(2026, 3, 2), True),
        ("1960-02-29", dt.date(2025, 2, 27), False),
        ("1960-02-29", dt.date(2025, 2, 28), True),
    ],
)
def test_an_age_is_reached_on_the_birthday(
    desk: Office, number: Callable[..., str], born: str, on: dt.date, held: bool
) -> None:
    who = number(1, born.replace("-", ""))
    register.tell(desk, who, "civil-affairs", {"born": born}, day=DAY, actor="test")
    assert ("over-65" in rights(desk, who, on)) is held


def test_a_right_with_a_last_day_ends_and_an_empty_field_gives_none(
    desk: Office, number: Callable[..., str]
) -> None:
    who = number(2)
    register.tell(desk, who, "education", {"student_until": "2026-08-31"}, day=DAY, actor="test")
    assert rights(desk, who, dt.date(2026, 8, 31)) == {"student": dt.date(2026, 8, 31)}
    assert rights(desk, who, dt.date(2026, 9, 1)) == {}
    register.tell(desk, who, "civil-affairs", {"residence": "2020-01-01"}, day=DAY, actor="test")
    assert "resident" in rights(desk, who, DAY)
    gone = dt.date(2026, 2, 2)
    register.tell(desk, who, "civil-affairs", {"residence": ""}, day=gone, actor="test")
    assert "resident" not in rights(desk, who, DAY)


def test_a_card_that_is_nobodys_has_no_rights(hall: Town, desk: Office) -> None:
    card = hall.card()
    assert list(entitlements_of(desk, card.asn, DAY)) == []
    till = hall.till(hall.terminal("civil-affairs"))
    with pytest.raises(ResidentUnknown):
        till.serve(card.reader, hall.now, write_rights(desk, "clerk"))


def test_the_kiosk_charges_by_what_is_on_the_card_and_believes_no_forged_record(
    hall: Town, desk: Office, number: Callable[..., str]
) -> None:
    who, card = number(3, "19500101"), hall.card()
    register.tell(desk, who, "civil-affairs", {"born": "1950-01-01"}, day=DAY, actor="test")
    register.link_card(desk, who, card.asn, actor="clerk")
    hall.load(card, 5000)
    kiosk = hall.till(hall.terminal("civil-affairs"))
    fee = collect_fee(
        desk.settings,
        desk.settings.services[0],
        lambda asn8: desk.city.vault.card_key(RESIDENT_KEY.name, asn8),
    )
    forged = collect_fee(desk.settings, desk.settings.services[0], lambda _: bytes(16))
    assert kiosk.serve(card.reader, hall.now, fee).amount_fen == 1000
    hall.pass_time(dt.timedelta(minutes=2))
    kiosk.serve(card.reader, hall.now, write_rights(desk, "clerk"))
    hall.pass_time(dt.timedelta(minutes=2))
    assert kiosk.serve(card.reader, hall.now, fee).amount_fen == 500
    hall.pass_time(dt.timedelta(minutes=2))
    with pytest.raises(ResidentCardInvalid):
        kiosk.serve(card.reader, hall.now, forged)
    hall.clear(kiosk)
    assert hall.statement("civil-affairs").net_fen == 1500
    hall.check_books()


def test_a_card_of_before_city_hall_pays_the_whole_fee_until_it_gets_the_sector(
    tmp_path: Path, settings: dict[str, Any], number: Callable[..., str]
) -> None:
    town = Town.make(tmp_path, domains=["egov"], settings={"egov": settings}, enable=[])
    card = town.card()
    town.city.plugins.enable("egov", by="test")
    town.city.open_declared()
    office, who = Office.of(town.city), number(4, "19500101")
    town.load(card, 5000)
    register.tell(office, who, "civil-affairs", {"born": "1950-01-01"}, day=DAY, actor="test")
    register.link_card(office, who, card.asn, actor="clerk")
    fee = collect_fee(
        office.settings,
        office.settings.services[0],
        lambda asn8: office.city.vault.card_key(RESIDENT_KEY.name, asn8),
    )
    kiosk = town.till(town.terminal("civil-affairs"))
    assert kiosk.serve(card.reader, town.now, fee).amount_fen == 1000
    town.pass_time(dt.timedelta(minutes=2))
    assert "egov-resident" in town.update(card)
    kiosk.refresh()
    kiosk.serve(card.reader, town.now, write_rights(office, "clerk"))
    town.pass_time(dt.timedelta(minutes=2))
    assert kiosk.serve(card.reader, town.now, fee).amount_fen == 500
    town.clear(kiosk)
    town.check_books()
    town.close()
