"""What departments tell, what stands, and what is in conflict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.errors import RegistryMissing
from citycard.ids import new_id
from citycard.store import reading
from citycard.testing.town import Town
from citycard_egov import register
from citycard_egov.errors import ConflictUnknown, EgovFileInvalid, EgovInvalid, ResidentUnknown
from citycard_egov.office import Office

DAY = dt.date(2026, 2, 1)
SERIALS = count(100)


def say(office: Office, who: str, source: str, day: dt.date = DAY, **values: str) -> dict[str, str]:
    came = register.tell(office, who, source, values, day=day, actor="test")
    return {one.field: one.outcome for one in came}


def stands(office: Office, who: str, field: str) -> str:
    with reading(office.engine) as conn:
        return register.value_of(conn, office, register.find_by_number(conn, office, who), field)


def conflicts(office: Office, who: str) -> list[register.Conflict]:
    with reading(office.engine) as conn:
        resident = register.find_by_number(conn, office, who)
        return [one for one in register.open_conflicts(conn) if one.resident == resident]


def test_what_stood_goes_on_standing_until_somebody_settles(desk: Office, number: Callable[..., str]) -> None:
    who = number(1)
    assert say(desk, who, "civil-affairs", address="1 Old Street") == {"address": "new"}
    assert say(desk, who, "police", address="9 Harbour Road") == {"address": "conflict"}
    assert stands(desk, who, "address") == "1 Old Street"

    (open_one,) = conflicts(desk, who)
    with pytest.raises(EgovInvalid, match="civil-affairs or police"):
        register.settle(desk, open_one.id, "education", reason="why not", actor="clerk")
    with pytest.raises(EgovInvalid, match="reason"):
        register.settle(desk, open_one.id, "police", reason=" ", actor="clerk")
    register.settle(desk, open_one.id, "police", reason="seen", actor="clerk")
    assert stands(desk, who, "address") == "9 Harbour Road"
    with pytest.raises(ConflictUnknown):
        register.settle(desk, open_one.id, "police", reason="seen", actor="clerk")

    # The nightly file of the office that was wrong opens nothing anew; other news of it does.
    assert say(desk, who, "civil-affairs", address="1 Old Street") == {"address": "same"}
    assert conflicts(desk, who) == []
    assert say(desk, who, "civil-affairs", address="2 Old Street") == {"address": "conflict"}
    assert say(desk, who, "civil-affairs", address="9 Harbour Road") == {"address": "new"}
    assert conflicts(desk, who) == []


def test_older_news_changes_nothing_and_newer_news_of_the_same_office_does(
    desk: Office, number: Callable[..., str]
) -> None:
    who = number(2)
    say(desk, who, "civil-affairs", name="Wang")
    assert say(desk, who, "civil-affairs", DAY - dt.timedelta(days=1), name="Wong") == {"name": "same"}
    assert say(desk, who, "civil-affairs", DAY + dt.timedelta(days=1), name="Wong") == {"name": "new"}
    assert stands(desk, who, "name") == "Wong"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(
        st.tuples(st.sampled_from(["civil-affairs", "police"]), st.sampled_from(["A", "B", "C"])),
        min_size=1,
        max_size=6,
    )
)
def test_a_conflict_is_open_exactly_when_offices_differ(
    desk: Office, number: Callable[..., str], told: list[tuple[str, str]]
) -> None:
    who = number(next(SERIALS), "19700101")
    latest: dict[str, str] = {}
    for step, (source, value) in enumerate(told):
        say(desk, who, source, DAY + dt.timedelta(days=step), address=value)
        latest[source] = value
        assert len(conflicts(desk, who)) == (len(set(latest.values())) > 1)
        assert stands(desk, who, "address") in {value for _, value in told[: step + 1]}
        if len(set(latest.values())) == 1:
            assert stands(desk, who, "address") == value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id_number": "110101198001010019"}, "id_number is '11…19': expected a number whose check is right"),
        ({"id_number": ""}, "id_number"),
        ({"source": "harbour"}, "source is 'harbour': expected a department: civil-affairs"),
        ({"values": {"student_until": "2026-01-01"}}, "expected what civil-affairs may tell: address, born"),
        ({"values": {"born": "1.3.1958"}}, "born is '…': expected a day such as 1958-03-01"),
        ({"values": {"name": "x" * 201}}, "at most 200 printable characters"),
        ({"values": {"name": "a\x00b"}}, "printable"),
        ({"day": dt.date(2099, 1, 1)}, "day is '2099-01-01': expected a day that has come"),
    ],
)
def test_what_cannot_be_told_is_refused_by_field_and_shows_no_person(
    desk: Office, number: Callable[..., str], change: dict[str, object], message: str
) -> None:
    call = {"id_number": number(3), "source": "civil-affairs", "values": {"name": "Li"}, "day": DAY} | change
    with pytest.raises(EgovInvalid) as refused:
        register.tell(desk, call.pop("id_number"), call.pop("source"), call.pop("values"), **call, actor="t")
    assert message in str(refused.value)


def test_a_file_of_residents_tells_its_bad_rows_and_changes_nothing_the_second_time(
    desk: Office, number: Callable[..., str]
) -> None:
    rows = [
        f"{number(11)},2026-02-01,Zhao,Old Street",
        "123,2026-02-01,Qian,Old Street",
        f"{number(12)},yesterday,Sun,Old Street",
        f"{number(13)},2026-02-01,Li",
        f"{number(14)},2026-02-01,Zhou,Harbour",
    ]
    text = "\ufeffID_NUMBER, day, name, address\n" + "\n".join(rows) + "\n"
    first = register.import_file(desk, "police", text, file="police.csv", actor="test")
    assert (first.residents, first.new, [one.line for one in first.bad]) == (2, 4, [3, 4, 5])
    again = register.import_file(desk, "police", text, file="police.csv", actor="test")
    assert (again.new, again.same, again.conflicts) == (0, 4, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no column id_number"),
        ("id_number,name\n", "names no column day"),
        ("id_number,day,student_until\n", "line 1: field is 'student_until'"),
        ('id_number,day,name\n"' + "x" * 200_000 + '",,\n', "is no CSV"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(desk: Office, text: str, message: str) -> None:
    with pytest.raises(EgovFileInvalid, match=message):
        register.import_file(desk, "police", text, file="police.csv", actor="test")


def test_a_card_is_one_residents_and_stays_so(hall: Town, desk: Office, number: Callable[..., str]) -> None:
    card = hall.card()
    say(desk, number(21), "police", name="Zheng")
    say(desk, number(22), "police", name="Wang")
    with pytest.raises(ResidentUnknown):
        register.link_card(desk, number(23), card.asn, actor="clerk")
    with pytest.raises(RegistryMissing):
        register.link_card(desk, number(21), "0" * 20, actor="clerk")
    who = register.link_card(desk, number(21), card.asn, actor="clerk")
    assert register.link_card(desk, number(21), card.asn, actor="clerk") == who
    with pytest.raises(EgovInvalid, match="not another resident's"):
        register.link_card(desk, number(22), card.asn, actor="clerk")
    with pytest.raises(ConflictUnknown):
        register.settle(desk, new_id(), "police", reason="why", actor="clerk")
