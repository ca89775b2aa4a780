import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.card.codec import encode, evolve
from citycard_campus.errors import MarkBroken
from citycard_campus.marks import KEY, check, marked
from citycard_campus.sectors import ENROLMENT, SESSION, Enrolment, Role, Session

KEY16, OTHER = bytes(range(16)), bytes(16)
ASN = "01019901000000000017"
MINE = Enrolment(role=Role.PUPIL, school=3, pupil=7, until=dt.date(2027, 7, 15), loaded_fen=1000)


def test_what_was_marked_for_a_card_is_good_there_alone():
    record = marked(MINE, "campus", ASN, KEY16)
    check(record, "campus", ASN, [OTHER, KEY16])
    for sector, asn, keys in (
        ("campus-session", ASN, [KEY16]),
        ("campus", ASN[:-1] + "8", [KEY16]),
        ("campus", ASN, [OTHER]),
        ("campus", ASN, []),
    ):
        with pytest.raises(MarkBroken):
            check(record, sector, asn, keys)


def test_a_blank_record_needs_no_mark_and_a_filled_one_does():
    check(Enrolment(), "campus", ASN, [KEY16])
    with pytest.raises(MarkBroken):
        check(MINE, "campus", ASN, [KEY16])


@given(fen=st.integers(0, 0xFFFFFFFF))
def test_no_sum_can_be_changed_under_its_mark(fen):
    record = marked(MINE, "campus", ASN, KEY16)
    changed = evolve(record, loaded_fen=fen)
    if changed != record:
        with pytest.raises(MarkBroken):
            check(changed, "campus", ASN, [KEY16])


def test_the_key_is_of_the_plugins_own_kinds():
    assert (KEY.kind, KEY.owner) == (0x54, "campus")


def test_both_sectors_fit_and_are_written_with_purchases():
    assert [(one.size, str(one.write)) for one in (ENROLMENT, SESSION)] == [
        (64, "purchase"),
        (24, "purchase"),
    ]
    assert encode(Session()) == bytes(24)
