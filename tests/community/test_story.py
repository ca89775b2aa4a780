"""A community from the first key to what the bank is told to pay, each story with real chips and clearing."""

import datetime as dt

import pytest

from citycard.city.office import Office
from citycard.errors import CardRefused
from citycard.ids import new_id
from citycard_community.billing import pay_from_account
from citycard_community.errors import (
    AlreadyInside,
    CarParkFull,
    DayCodeRefused,
    LeaseRefused,
    PartRefused,
    PassRefused,
    PaymentRefused,
)
from citycard_community.leases import begin_lease, end_lease, extend_lease
from citycard_community.openings import read_openings
from citycard_community.passes import sell_pass
from citycard_community.sectors import ParkingStep
from citycard_community.visits import end_visit, invite

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
COMPANY, CLINIC = "6200990100000700001", "6200990100000700002"
JUNE, DECEMBER = dt.date(2026, 6, 30), dt.date(2026, 12, 31)
FEE_FEN = 22_375


@pytest.fixture(params=["on_sqlite", pytest.param("on_postgresql", marks=pytest.mark.postgresql)])
def estate(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def people(estate):
    """A flat of 89.5 square metres, its lease until the end of June, and the cards of all who come."""
    town = estate.town
    town.pass_time(1 * HOUR)  # 09:00
    cards = landlord, tenant, flatmate, _, _ = tuple(town.card() for _ in range(5))
    for card in cards:
        town.load(card, 50_000)
    flat = estate.home(landlord, building=1, room="101", area=8950)
    tenants = [tenant.asn, flatmate.asn]
    lease = begin_lease(estate.city, estate.settings, new_id(), flat, tenants, estate.today, JUNE)
    for card in (landlord, tenant, flatmate):
        estate.kiosk().collect(card.reader, town.now)
    return flat, lease, *cards


def test_rights_follow_a_lease_and_end_with_it(estate, people):
    town, city, settings = estate.town, estate.city, estate.settings
    flat, lease, landlord, tenant, flatmate, _, stranger = people

    assert [estate.opens("east", card) for card in (landlord, tenant, flatmate)] == [
        "owner",
        "tenant",
        "tenant",
    ]
    assert [estate.opens("east", stranger), estate.opens("west", tenant)] == ["no-right", "not-here"]
    with pytest.raises(
        LeaseRefused, match=f"lease {lease.id} of the unit runs from 2026-03-02 to 2026-06-30"
    ):
        begin_lease(city, settings, new_id(), flat, [stranger.asn], JUNE, DECEMBER)

    extend_lease(city, lease.id, DECEMBER)
    estate.kiosk().collect(tenant.reader, town.now)
    assert estate.clear().gross_fen == 0
    town.pass_time(122 * DAY)  # 2 July: the flatmate never came to the kiosk
    assert [estate.opens("east", card) for card in (tenant, flatmate)] == ["tenant", "ended"]
    estate.kiosk().collect(flatmate.reader, town.now)
    assert estate.opens("east", flatmate) == "tenant"

    end_lease(city, lease.id, estate.today)
    east = estate.door("east")
    town.pass_time(DAY)
    assert east.open(tenant.reader, town.now).right.ends_on == DECEMBER  # its list is of yesterday
    east.refresh()
    assert [estate.opens("east", card) for card in (landlord, tenant, flatmate)] == [
        "owner",
        "revoked",
        "revoked",
    ]
    estate.kiosk().collect(tenant.reader, town.now)
    assert estate.opens("east", tenant) == "no-right"
    begin_lease(city, settings, new_id(), flat, [stranger.asn], estate.today, DECEMBER)

    assert estate.clear().gross_fen == 0
    community = settings.communities[0]
    seen = read_openings(city, community, community.doors, dt.date(2026, 3, 1), estate.today)
    assert [(one.at.date().isoformat(), one.door, one.card, one.kind) for one in reversed(seen)] == [
        ("2026-03-02", "east", landlord.asn, "owner"),
        ("2026-03-02", "east", tenant.asn, "tenant"),
        ("2026-03-02", "east", flatmate.asn, "tenant"),
        ("2026-07-02", "east", tenant.asn, "tenant"),
        ("2026-07-02", "east", flatmate.asn, "tenant"),
        ("2026-07-03", "east", tenant.asn, "tenant"),
        ("2026-07-03", "east", landlord.asn, "owner"),
    ]


def test_a_lost_card_is_shut_out_everywhere_after_the_next_list(estate, people):
    town, city = estate.town, estate.city
    landlord = people[2]
    east = estate.door("east")

    Office(city, "desk").lost(landlord.asn)
    assert east.open(landlord.reader, town.now).right.serial == 1  # the door has yesterday's lists
    estate.gate("in")  # refreshed as every terminal

    assert 1 in estate.till(east.till.number).configured("community", "access")["revoked"]
    for refused in (
        lambda: estate.door("east").open(landlord.reader, town.now),
        lambda: estate.gate("in").enter(landlord.reader, town.now),
        lambda: estate.kiosk().collect(landlord.reader, town.now),
        lambda: estate.clinic().visit(landlord.reader, town.now),
    ):
        with pytest.raises(CardRefused, match="it was reported lost or misused"):
            refused()

    new = estate.stocked()
    Office(city, "desk").replace(landlord.asn, new.asn, reason="lost")
    city.plugins.run_job("community.follow")
    estate.kiosk().collect(new.reader, town.now)
    assert estate.opens("east", new) == "owner"


def test_a_visitor_comes_for_a_day_by_a_code_or_by_card(estate, people):
    town, city, settings = estate.town, estate.city, estate.settings
    flat, _, landlord, tenant, _, visitor, stranger = people
    tomorrow = estate.today + DAY

    called = invite(city, settings, new_id(), tenant.asn, flat, tomorrow)
    known = invite(city, settings, new_id(), landlord.asn, flat, tomorrow, stranger.asn)
    with pytest.raises(DayCodeRefused):
        estate.kiosk().use_code(visitor.reader, called.code, town.now)  # it is not for today
    town.pass_time(DAY)
    estate.kiosk().use_code(visitor.reader, called.code, town.now)
    estate.kiosk().collect(stranger.reader, town.now)
    assert [estate.opens("east", card) for card in (visitor, stranger)] == ["visitor", "visitor"]
    with pytest.raises(DayCodeRefused):
        estate.kiosk().use_code(stranger.reader, called.code, town.now)  # it was used

    end_visit(city, known.id, landlord.asn)
    assert [estate.opens("east", card) for card in (visitor, stranger)] == ["visitor", "revoked"]
    town.pass_time(13 * HOUR)
    assert estate.opens("east", visitor) == "hours"
    town.pass_time(11 * HOUR)
    assert estate.opens("east", visitor) == "ended"
    assert estate.clear().gross_fen == 0


def test_a_car_park_is_counted_and_paid_by_the_started_unit(estate, people):
    town, city, settings = estate.town, estate.city, estate.settings
    _, _, landlord, tenant, _, visitor, stranger = people
    come, go = estate.gate("in"), estate.gate("out")
    town.account(tenant, 100_000)
    month = estate.today

    sold = sell_pass(city, settings, new_id(), tenant.asn, "sunrise", 1, 1, month, 2)
    with pytest.raises(PassRefused, match="another pass has it in 2026-03"):
        sell_pass(city, settings, new_id(), landlord.asn, "sunrise", 1, 1, month, 1)
    with pytest.raises(PassRefused, match="passes are for residents"):
        sell_pass(city, settings, new_id(), stranger.asn, "sunrise", 1, 2, month, 1)
    estate.kiosk().collect(tenant.reader, town.now)
    assert come.enter(tenant.reader, town.now).space == sold.space == 1
    assert [come.enter(card.reader, town.now).space for card in (visitor, stranger)] == [2, 3]
    with pytest.raises(CarParkFull, match="3 of 3"):
        come.enter(landlord.reader, town.now)
    with pytest.raises(AlreadyInside):
        come.enter(visitor.reader, town.now)

    town.pass_time(15 * MINUTE)
    assert go.leave(visitor.reader, town.now).receipt.amount_fen == 0  # the free minutes
    come.enter(visitor.reader, town.now)
    town.pass_time(61 * MINUTE)
    assert go.leave(visitor.reader, town.now).receipt.amount_fen == 3 * 200
    town.pass_time(30 * HOUR)
    assert go.leave(stranger.reader, town.now).receipt.amount_fen == 2 * 2000
    passed = go.leave(tenant.reader, town.now)
    assert (passed.step, passed.receipt.amount_fen) == (ParkingStep.PASS_EXIT, 0)
    # Whose card is lost inside leaves with another one.
    come.enter(stranger.reader, town.now, plate="京A12345")
    lost = go.leave(visitor.reader, town.now, plate="京A12345")
    assert (lost.step, lost.receipt.amount_fen) == (ParkingStep.LOST_TICKET, 3000)
    assert come.spaces.occupancy(estate.today).taken == 0

    statement = estate.clear()
    assert (statement.gross_fen, statement.carried_fen) == (600 + 4000 + 3000, 2 * 15_000)
    assert estate.bank_told_fen(statement.run, COMPANY) == 37_600 - statement.fee_fen


def test_the_property_fee_is_billed_paid_and_late(estate, people):
    town, city, settings = estate.town, estate.city, estate.settings
    landlord, tenant = people[2:4]
    for _ in range(2):
        city.plugins.run_job("community.bill")
    assert estate.owed(landlord) == estate.owed(tenant) == [(1, FEE_FEN)]
    town.account(landlord, 30_000)

    with pytest.raises(PartRefused, match="takes no part of a bill"):
        pay_from_account(city, settings, new_id(), landlord.asn, 1, 10_000)
    identity = new_id()
    for _ in range(2):
        assert pay_from_account(city, settings, identity, landlord.asn, 1).amount_fen == FEE_FEN
    with pytest.raises(PaymentRefused, match="nothing is owed"):
        estate.kiosk().pay(tenant.reader, 1, town.now)
    town.clear()

    town.pass_time(dt.datetime(2026, 4, 1, 9, 0) - town.now)
    city.plugins.run_job("community.bill")
    town.pass_time(30 * DAY)  # 1 May: eleven days late, 5 in 10,000 a day
    late_fen = 123
    assert estate.owed(tenant) == [(1, 0), (2, FEE_FEN + late_fen)]
    paid = estate.kiosk().pay(tenant.reader, 2, town.now)
    assert (paid.receipt.amount_fen, paid.payment.late_fen) == (FEE_FEN + late_fen, late_fen)
    assert estate.owed(tenant) == [(1, 0), (2, 0)]

    statement = estate.clear()
    assert statement.gross_fen == FEE_FEN + late_fen
    first_fen = estate.bank_told_fen(1, COMPANY)
    assert first_fen == FEE_FEN
    assert estate.bank_told_fen(statement.run, COMPANY) == statement.net_fen


def test_the_clinic_asks_residents_for_less(estate, people):
    now = estate.town.now
    tenant, stranger = people[3], people[6]

    assert estate.clinic().visit(tenant.reader, now).amount_fen == 400
    assert estate.clinic().visit(stranger.reader, now).amount_fen == 1000

    statement = estate.clear("sunrise-clinic")
    assert statement.gross_fen == 1400
    assert estate.bank_told_fen(statement.run, CLINIC) == statement.net_fen
