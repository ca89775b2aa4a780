"""Appointments: never oversold, kept or missed, and files that are taken in whole or not at all."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest

from citycard.errors import CitycardError
from citycard.ids import derived_id, new_id
from citycard.store import reading, writing
from citycard_health.booking import (
    BookingState,
    appointments_of_day,
    book,
    cancel,
    find_appointment,
    free_slots,
    import_schedule,
    keep,
    miss_overdue,
)
from citycard_health.errors import AlreadyDone, BookingRefused, FileInvalid, NotFound, VisitRefused
from citycard_health.opening import settings_of

HEAD = "clinic,department,doctor,level,day,from,until,minutes,places\n"


@pytest.fixture
def slots(town):
    with reading(town.city.engine) as conn:
        return free_slots(conn, town.now)


def test_schedules_are_cut_into_slots(slots):
    """Four half hours of two places, two of one, three of twenty minutes."""
    assert [(one.doctor, one.capacity) for one in slots].count(("Dr Wang", 2)) == 4
    assert [(one.doctor, one.capacity) for one in slots].count(("Prof Zhou", 1)) == 2
    assert [one.starts_at.strftime("%H:%M") for one in slots if one.clinic == "clinic-west"] == [
        "14:00",
        "14:20",
        "14:40",
    ]


def test_a_slot_is_never_oversold(town_of):
    """Twenty patients at once want two places: two get them, eighteen are told that all are booked."""
    city, settings = town_of.city, settings_of(town_of.city)
    cards = [town_of.card() for _ in range(20)]
    with reading(city.engine) as conn:
        slot = free_slots(conn, town_of.now)[0]
    assert slot.capacity == 2
    said = []

    def want(card):
        try:
            said.append(book(city, settings, new_id(), card.asn, slot.id).state.value)
        except BookingRefused as refused:
            said.append(str(refused))

    at_once(want, cards)
    assert said.count("booked") == 2
    assert sum("all 2 places" in one for one in said) == 18
    assert city.plugins.health()[2][1] is None


def test_one_id_at_once_is_one_appointment(town_of):
    """A client that sends it ten times in parallel gets ten times the same answer, also for a new card."""
    city, settings, identity = town_of.city, settings_of(town_of.city), new_id()
    card = town_of.card()
    with reading(city.engine) as conn:
        slot = free_slots(conn, town_of.now)[0]
    said = []
    at_once(lambda _: said.append(book(city, settings, identity, card.asn, slot.id)), range(10))
    assert len(said) == 10
    assert set(said) == {said[0]}


def at_once(work, items):
    threads = [threading.Thread(target=work, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_one_id_is_one_appointment(town, settings, slots):
    """Asked again it is the same; with another slot it is refused."""
    card, identity = town.card(), new_id()
    made = book(town.city, settings, identity, card.asn, slots[0].id)
    assert book(town.city, settings, identity, card.asn, slots[0].id) == made
    with pytest.raises(AlreadyDone):
        book(town.city, settings, identity, card.asn, slots[1].id)


def test_what_cannot_be_booked_is_refused_with_a_reason(town, settings, slots):
    """The same time twice, too many, a slot that begun, one that nobody knows, a card that nobody has."""
    city, card = town.city, town.card()
    book(city, settings, new_id(), card.asn, slots[0].id)
    with pytest.raises(BookingRefused, match="another appointment at that time"):
        book(city, settings, new_id(), card.asn, slots[1].id)
    later = [one for one in slots if one.clinic == "clinic-west"]
    book(city, settings, new_id(), card.asn, later[0].id)
    book(city, settings, new_id(), card.asn, later[1].id)
    with pytest.raises(BookingRefused, match="3 appointments are open"):
        book(city, settings, new_id(), card.asn, later[2].id)
    with pytest.raises(NotFound):
        book(city, settings, new_id(), card.asn, new_id())
    with pytest.raises(CitycardError):
        book(city, settings, new_id(), "0" * 20, slots[0].id)
    town.pass_time(timedelta(days=2))
    with pytest.raises(BookingRefused, match="has begun"):
        book(city, settings, new_id(), town.card().asn, slots[0].id)


def test_days_far_away_are_not_booked_yet(town, settings):
    """``booking_days`` says how far ahead."""
    text = HEAD + "clinic-east,Eyes,Dr Far,1,2026-04-20,08:00,09:00,30,1\n"
    import_schedule(town.city, settings, text.encode(), file="far.csv")
    with reading(town.city.engine) as conn:
        far = free_slots(conn, town.now, day=date(2026, 4, 20))[0]
    with pytest.raises(BookingRefused, match="after 2026-03-16"):
        book(town.city, settings, new_id(), town.card().asn, far.id)


def test_a_cancelled_place_is_free_again(town, settings, slots):
    """The patient cancels in time, the clinic at any time; again changes nothing."""
    city, slot = town.city, slots[1]
    assert slot.capacity == 1
    made = book(city, settings, new_id(), town.card().asn, slot.id)
    assert cancel(city, settings, made.id).state is BookingState.CANCELLED
    assert cancel(city, settings, made.id).state is BookingState.CANCELLED
    again = book(city, settings, new_id(), town.card().asn, slot.id)
    town.pass_time(slot.starts_at - town.now - timedelta(minutes=59))
    with pytest.raises(BookingRefused, match="could be cancelled until 2026-03-03"):
        cancel(city, settings, again.id)
    assert cancel(city, settings, again.id, at_any_time=True).state is BookingState.CANCELLED
    assert city.plugins.health()[2][1] is None


def test_whoever_does_not_come_missed_it_and_a_late_record_mends_that(town, settings, slots):
    """The job waits until records of the day may have come; one that comes later still counts."""
    city, card = town.city, town.card()
    made = book(city, settings, new_id(), card.asn, slots[0].id)
    town.pass_time(slots[0].ends_at - town.now + timedelta(hours=23))
    assert miss_overdue(city, settings) == 0
    town.pass_time(timedelta(hours=2))
    city.plugins.run_job("health.no-shows")
    assert find_appointment(city, made.id).state is BookingState.MISSED
    with pytest.raises(BookingRefused, match="was missed"):
        cancel(city, settings, made.id)
    with writing(city.engine) as conn:
        assert not keep(conn, made.id, "0" * 20, town.now)
        assert keep(conn, made.id, card.asn, town.now, "990100000001-1-1")
        assert not keep(conn, made.id, card.asn, town.now)
    assert find_appointment(city, made.id).state is BookingState.KEPT


def test_a_card_that_is_not_in_use_books_nothing(town, settings, slots):
    """Lost cards are refused."""
    from citycard.city.office import Office

    card = town.card()
    Office(town.city, "desk").lost(card.asn)
    with pytest.raises(VisitRefused, match="lost"):
        book(town.city, settings, new_id(), card.asn, slots[0].id)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("nowhere,Eyes,Dr X,1,2026-03-03,08:00,09:00,30,1", "clinic"),
        ("clinic-east,Eyes,Dr X,9,2026-03-03,08:00,09:00,30,1", "level"),
        ("clinic-east,Eyes,Dr X,1,2026-02-30,08:00,09:00,30,1", "day"),
        ("clinic-east,Eyes,Dr X,1,2026-03-03,8 Uhr,09:00,30,1", "from"),
        ("clinic-east,Eyes,Dr X,1,2026-03-03,08:00+08:00,09:00,30,1", "from"),
        ("clinic-east,Eyes,Dr X,1,2026-03-03,08:00,08:10,30,1", "until"),
        ("clinic-east,Eyes,Dr X,1,2026-03-03,08:00,09:00,0,1", "minutes"),
        ("clinic-east,Eyes,Dr X,1,2026-03-03,08:00,09:00,30,-1", "places"),
        ("clinic-east,Eyes,Dr X,1,2026-03-03,08:00,09:00,30,1e3", "places"),
        ("clinic-east,Eyes,,1,2026-03-03,08:00,09:00,30,1", "doctor"),
        ("clinic-east,Eyes,Dr X,1,2026-03-03", "line"),
        ("clinic-east,Internal medicine,Dr Ok,1,2026-03-03,08:00,09:00,30,1", "from"),
    ],
)
def test_a_bad_line_refuses_the_whole_file_by_line_and_field(town, settings, line, field):
    """Nothing of the file is taken in."""
    good = "clinic-east,Internal medicine,Dr Ok,1,2026-03-03,08:00,09:00,30,1\n"
    with pytest.raises(FileInvalid) as refused:
        import_schedule(town.city, settings, (HEAD + good + line + "\n").encode(), file="bad.csv")
    assert (refused.value.data["line"], refused.value.data["field"]) == (3, field)
    with reading(town.city.engine) as conn:
        assert all(one.doctor != "Dr Ok" for one in free_slots(conn, town.now))


@pytest.mark.parametrize(
    ("data", "field"),
    [(b"", "columns"), (b"clinic\n", "columns"), (b"\xff\xfe", "file"), (b"a" * (9 * 1024 * 1024), "file")],
)
def test_what_is_no_such_file_is_refused(town, settings, data, field):
    """Empty, other columns, not UTF-8, too large."""
    with pytest.raises(FileInvalid) as refused:
        import_schedule(town.city, settings, data, file="bad.csv")
    assert refused.value.data["field"] == field


def test_the_same_schedule_again_changes_nothing_and_more_places_are_taken_over(town, settings, slots):
    """Fewer places than are booked are refused."""
    city, first = town.city, slots[0]
    text = HEAD + "clinic-east,Internal medicine,Dr Wang,1,2026-03-03,08:00,10:00,30,{}\n"
    assert import_schedule(city, settings, text.format(2).encode(), file="s.csv") == 4
    for _ in range(2):
        book(city, settings, new_id(), town.card().asn, first.id)
    import_schedule(city, settings, text.format(3).encode(), file="s.csv")
    book(city, settings, new_id(), town.card().asn, first.id)
    with pytest.raises(FileInvalid, match="3 places of 2026-03-03 08:00 are booked"):
        import_schedule(city, settings, text.format(2).encode(), file="s.csv")
    with reading(city.engine) as conn:
        assert len(appointments_of_day(conn, "clinic-east", date(2026, 3, 3))) == 3
    assert derived_id("health slot", "clinic-east", "Dr Wang", "2026-03-03T08:00:00") == first.id
