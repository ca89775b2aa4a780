"""Units: files of them, owners' rights, and flats that change hands."""

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import CitycardError
from citycard.store import reading
from citycard_community.errors import UnitsFileInvalid
from citycard_community.granting import rights_of_card
from citycard_community.units import COLUMNS, UnitGiven, keep_units, next_month, read_units, text_of

HEAD = ",".join(COLUMNS) + "\n"
ASN = "01019901000000000001"


def test_a_file_is_read_line_by_line():
    text = f"{HEAD}sunrise,1,101,89.5,{ASN}\n\nsunrise,2,B-7,60,{ASN}\n"
    assert read_units(text, file="units.csv") == [
        UnitGiven(community="sunrise", building=1, room="101", area=8950, owner=ASN),
        UnitGiven(community="sunrise", building=2, room="B-7", area=6000, owner=ASN),
    ]
    assert read_units(HEAD, file="units.csv") == []


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "expected the columns community,building,room,area_m2,owner"),
        ("unit,owner\n", 1, "expected the columns"),
        (f"{HEAD}sunrise,1,101,89.5\n", 2, "4 fields, expected 5"),
        (f"{HEAD}sunrise,one,101,89.5,{ASN}\n", 2, "building is 'one'"),
        (f"{HEAD}sunrise,1,101,89.555,{ASN}\n", 2, "area_m2 is '89.555'"),
        (f"{HEAD}sunrise,1,101,-5,{ASN}\n", 2, "area_m2 is '-5'"),
        (f"{HEAD}sunrise,1,101,89,123\n", 2, "owner is '123'"),
        (f"{HEAD}sunrise,1,101,89,{ASN}\nsunrise,1,101,90,{ASN}\n", 3, "stands in line 2 already"),
        (f'{HEAD}sunrise,1,"101,89,{ASN}\n', 2, "it is no CSV"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_mend(text, line, said):
    with pytest.raises(UnitsFileInvalid) as wrong:
        read_units(text, file="units.csv")
    assert f"units.csv line {line}: " in str(wrong.value)
    assert said in str(wrong.value)


@given(st.text())
def test_no_text_breaks_the_reader(text):
    with suppress(UnitsFileInvalid):
        assert len(read_units(HEAD + text, file="x")) <= text.count("\n") + 1


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path):
    file = tmp_path / "units.csv"
    file.write_bytes(HEAD.encode() + b"sunrise,1,\xff,1,1\n")
    with pytest.raises(UnitsFileInvalid, match="line 2: it is not UTF-8"):
        text_of(file)
    file.write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert text_of(file) == HEAD


def test_a_flat_that_changes_hands_changes_who_opens(estate):
    first, second = estate.town.card(), estate.town.card()
    number = estate.home(first)
    estate.kiosk().collect(first.reader, estate.now)
    assert estate.opens("east", first) == "owner"

    assert estate.home(second) == number
    estate.kiosk().collect(second.reader, estate.now)

    assert [estate.opens("east", card) for card in (first, second)] == ["revoked", "owner"]
    estate.kiosk().collect(first.reader, estate.now)
    assert estate.opens("east", first) == "no-right"


def test_an_owners_right_is_moved_on_at_the_kiosk_before_it_ends(estate):
    owner = estate.town.card()
    estate.home(owner)
    first = estate.kiosk().collect(owner.reader, estate.now).rights[0]
    estate.town.pass_time(dt.timedelta(days=320))  # 45 days before it ends
    moved = estate.kiosk().collect(owner.reader, estate.now).rights
    assert [(one.serial, one.ends_on > first.ends_on) for one in moved] == [(first.serial, True)]


def test_months_follow_each_other():
    assert next_month(dt.date(2026, 1, 1)) == dt.date(2026, 2, 1)
    assert next_month(dt.date(2026, 12, 1)) == dt.date(2027, 1, 1)


def test_nothing_of_a_list_with_a_wrong_unit_is_taken_over(estate):
    owner = estate.town.card()
    good = UnitGiven(community="sunrise", building=1, room="101", area=100, owner=owner.asn)
    wrong = UnitGiven(community="sunrise", building=1, room="102", area=100, owner="9" * 20)
    with pytest.raises(CitycardError):
        keep_units(estate.city, estate.settings, [good, wrong])
    with reading(estate.city.engine) as conn:
        assert rights_of_card(conn, owner.asn, estate.today) == []
    assert keep_units(estate.city, estate.settings, [good]) == 1
    assert keep_units(estate.city, estate.settings, [good]) == 0
