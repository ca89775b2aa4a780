import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schooltown import HEADER, SCHOOL

from citycard.city.office import Office
from citycard.store import reading, writing
from citycard_campus.errors import FileNotRoll, PupilRefused, PupilUnknown
from citycard_campus.roll import Wanted, end, enrol, import_roll, pupil_of, pupils_of, stopped
from citycard_campus.tables import pot

UNTIL = dt.date(2027, 7, 15)


def wanted(card, **more):
    fields = {"school": SCHOOL, "student_no": "S1", "name": "Li Lei", "card": card.asn, "until": UNTIL}
    return Wanted(**fields | more)


def test_the_same_file_changes_nothing_and_another_name_changes_the_name(place):
    card = place.town.card()
    assert [enrol(place.campus, wanted(card)) for _ in range(2)] == ["enrolled", "unchanged"]
    assert enrol(place.campus, wanted(card, name="Li Lei Jr")) == "changed"
    with reading(place.campus.engine) as conn:
        assert place.campus.opened(pupil_of(conn, card.asn).name) == "Li Lei Jr"
        assert b"Li" not in pupil_of(conn, card.asn).name


def test_each_bad_line_is_told_by_its_field_and_the_others_are_enrolled(place):
    good, spare, lost, taken = (place.town.card() for _ in range(4))
    Office(place.town.city, "anna").lost(lost.asn)
    enrol(place.campus, wanted(taken, student_no="T"))
    lines = {
        f"{SCHOOL},S1,pupil,Li Lei,7-3,{good.asn},,{UNTIL},12.50": "",
        f"{SCHOOL},S2,pupil,Li Lei,7-3,{lost.asn},,{UNTIL},": "a card in use, not one that is lost",
        f"{SCHOOL},S3,pupil,Li Lei,7-3,{taken.asn},,{UNTIL},": "a card that is not enrolled as",
        f"{SCHOOL},S4,pupil,Li Lei,7-3,{spare.asn},{'9' * 20},{UNTIL},": "9" * 20,
        f"{SCHOOL},S5,pupil,Li Lei,7-3,12345,,{UNTIL},": "20 digits",
        f"{SCHOOL},S6,pupil,Li Lei,7-3,{spare.asn},,15.7.2027,": "until is '15.7.2027': expected a day",
        f"{SCHOOL},S7,pupil,Li Lei,7-3,{spare.asn},,{UNTIL},a lot": "a lot",
        f"{SCHOOL},,pupil,Li Lei,7-3,{spare.asn},,{UNTIL},": "student_no is ''",
        f"{SCHOOL},S1,pupil,Li Lei,7-3,{spare.asn},,{UNTIL},": "S1 stands in line 2 already",
        f"{SCHOOL},S8,king,Li Lei,7-3,{spare.asn},,{UNTIL},": "pupil or teacher",
        f"{SCHOOL},S9,pupil,{'x' * 41},7-3,{spare.asn},,{UNTIL},": "name is 'not one'",
        f"{SCHOOL},SA,pupil,Li Lei,{'七' * 9},{spare.asn},,{UNTIL},": "16 bytes",
        f"{SCHOOL},SB,pupil,Li Lei,7-3,{spare.asn},,{UNTIL},-5": "meal is -500",
        "school-7,SC,pupil,Li Lei,7-3,,,2027-07-15,": "card is ''",
        "short": "until",
    }
    report = place.roll(*lines)
    assert report.enrolled == 1
    bad = {line.line: line.reason for line in report.bad}
    assert sorted(bad) == list(range(3, len(lines) + 2))
    for line, expected in enumerate(lines.values(), 2):
        assert expected in bad.get(line, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no column school and no student_no"),
        ("a,b\n1,2\n", "no column school"),
        (HEADER.replace("until", "end"), "no column until"),
        (HEADER + '"' + "x" * 200_000, "is no CSV"),
    ],
)
def test_what_is_no_roll_is_refused_whole(place, text, reason):
    with pytest.raises(FileNotRoll, match=reason):
        import_roll(place.campus, text, file="roll.csv")


@given(text=st.text(max_size=60))
def test_no_line_of_any_text_breaks_the_reader(text):
    from citycard_campus.csvfiles import rows

    try:
        found = list(rows(HEADER + text, ("school", "until"), file="roll.csv"))
    except FileNotRoll:
        return
    assert all(set(row) == {"school", "until"} for _, row in found)


def test_a_card_goes_to_another_pupil_only_with_an_empty_pot(place):
    card = place.town.card()
    enrol(place.campus, wanted(card))
    with reading(place.campus.engine) as conn:
        number = pupil_of(conn, card.asn).number
    with pytest.raises(PupilRefused, match="not enrolled as 1"):
        enrol(place.campus, wanted(card, school="school-9"))
    end(place.campus, number, "moved")
    assert enrol(place.campus, wanted(card, school="school-9")) == "enrolled"
    with reading(place.campus.engine) as conn:
        assert pupil_of(conn, card.asn).school == 9
        assert len(pupils_of(conn)) == 2


def test_terminals_hear_of_ended_enrolments_until_the_card_says_so_itself(place):
    card = place.town.card()
    enrol(place.campus, wanted(card))
    end(place.campus, 1, "graduated")
    with writing(place.campus.engine) as conn:
        conn.execute(pot.update().values(flagged=True))
    told = stopped(place.campus.engine, UNTIL)
    assert told == {"ended": [1], "closed_pots": [100 + int(card.asn[-2:])]}
    # Terminals get numbers: no reasons, and nobody's card.
    assert "graduated" not in str(told)
    assert card.asn not in str(told)
    assert stopped(place.campus.engine, UNTIL + dt.timedelta(days=1)) == {"ended": [], "closed_pots": []}
    with reading(place.campus.engine) as conn, pytest.raises(PupilUnknown):
        pupil_of(conn, card.asn)
    with pytest.raises(PupilUnknown):
        end(place.campus, 99, "nobody")
