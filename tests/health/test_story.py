"""A day at a clinic, from the appointment to the bank: real chips, tills, ledger and clearing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import attrs
import pytest

from citycard.bank import instruct
from citycard.bank.receiving import receive
from citycard.city.accounts import make_programme
from citycard.city.atcard import CardDesk
from citycard.city.payouts import pay_partner
from citycard.city.statements import Period, partner_statement
from citycard.city.till import Till
from citycard.errors import CardLacksSector, KeyHierarchyMissing
from citycard.ids import derived_id, new_id
from citycard.money import yuan
from citycard.store import reading
from citycard.testing.town import DESK, Town, TownCard
from citycard.wallet import Programme, fund_programme, grant, partner_payable
from citycard_health.addresses import insurer_account
from citycard_health.booking import BookingState, book, find_appointment, free_slots
from citycard_health.claims import StatementState, claim_file, close_month, settle_paid
from citycard_health.counter import take_records
from citycard_health.emergency import EmergencyTerminal
from citycard_health.errors import EmergencyBroken, EmergencyRefused, StatementRefused
from citycard_health.patients import find_patient, readings_of
from citycard_health.returns import return_lines
from citycard_health.sectors import BloodGroup, EmergencyData, EmergencyReason
from citycard_health.settings import HealthSettings
from citycard_health.split import Used
from citycard_health.sports import open_programme, pay_sport
from citycard_health.tills import Slip, check_in, pay_visit, read_day
from citycard_health.used import used_in
from citycard_health.visits import VisitItem, VisitState, charge_visit, visit_of

TUESDAY = date(2026, 3, 3)
ITEMS = [VisitItem(code="blood"), VisitItem(code="scan"), VisitItem(code="vitamin")]
Bank = Callable[[Town, str, int], bytes]


@pytest.fixture
def town(town_of: Town) -> Town:
    """Play the day on each database."""
    return town_of


@attrs.frozen(kw_only=True)
class Paid:
    """A visit that was paid: whose, at which till, and its id."""

    card: TownCard
    till: Till
    visit: UUID


@pytest.fixture
def paid(town: Town, settings: HealthSettings, insure: Callable[..., None]) -> Paid:
    """Let a patient book, check in, and pay a visit by insurance, a subsidy, the account and the purse."""
    city = town.city
    card = town.card("health-card")
    insure(card)
    town.load(card, 10_000)
    town.account(card, 3_000)
    subsidise(town, card.asn, 1_500)

    # The day before: an appointment.
    with reading(city.engine) as conn:
        slot = free_slots(conn, town.now, clinic="clinic-east", day=TUESDAY)[0]
    booked = book(city, settings, new_id(), card.asn, slot.id)

    # The morning: the till took the day's list along, and works offline.
    town.pass_time(timedelta(hours=23, minutes=50))
    till = town.till(town.terminal("clinic-east"))
    clinic = town.client("partner", "clinic-east")
    day = read_day(clinic.get(f"/health/clinics/clinic-east/day?day={TUESDAY}").content)
    assert till.serve(card.reader, town.now, check_in(day.appointments, town.now)).amount_fen == 500

    # The doctor charges 3000 (class A), 20001 (B) and 1999 (C).
    identity = derived_id("story", "visit")
    visit = charge_visit(city, settings, identity, card.asn, "clinic-east", ITEMS)
    # The deductible of 5000 takes the blood count and 2000 of the scan; of the other 18001, 70 % are insured.
    assert visit.insured_fen == 18_001 * 70 // 100 == 12_600
    assert (visit.subsidy_fen, visit.account_fen) == (1_500, 3_000)
    assert visit.purse_fen == 25_000 - 12_600 - 1_500 - 3_000 == 7_900
    assert charge_visit(city, settings, identity, card.asn, "clinic-east", ITEMS) == visit

    # At the counter the purse pays the rest.
    town.pass_time(timedelta(minutes=20))
    slip = Slip(visit=visit.id, asn=card.asn, due_fen=visit.left_fen)
    assert till.serve(card.reader, town.now, pay_visit(slip)).amount_fen == 7_900
    assert town.balance_fen(card) == 10_000 - 500 - 7_900

    # The night: clearing, and what its records say.
    town.clear(till)
    assert (take_records(city), take_records(city)) == (2, 0)
    assert find_appointment(city, booked.id).state is BookingState.KEPT
    assert visit_of(city, identity).state is VisitState.PAID
    return Paid(card=card, till=till, visit=identity)


def test_a_visit_reaches_the_clinics_statement_and_comes_back_to_each_payer(town: Town, paid: Paid) -> None:
    """Who paid a part of it gets that part back, to the fen, and the year begins anew."""
    city, card = town.city, paid.card
    statement = town.statement("clinic-east")
    assert (statement.net_fen, statement.carried_fen) == (500 + 7_900, 1_500 + 3_000)
    assert statement.end_to_end
    instruction = "".join(path.read_text() for path in (city.folder / "bank").glob("run-*.xml"))
    assert f"{yuan(500 + 7_900 + 1_500 + 3_000)}</InstdAmt>" in instruction
    town.check_books()

    # The vitamins were never taken, and come back: 1999, all the patient's, by the purse.
    back = return_lines(city, new_id(), paid.visit, [3], reason="not taken", actor="clinic-east")
    assert (back.insured_fen, back.purse_fen, back.online_fen) == (0, 1_999, 0)
    CardDesk(city, card.reader, actor="desk").collect(DESK)
    assert town.balance_fen(card) == 10_000 - 500 - 7_900 + 1_999

    # All of the rest comes back as well.
    back = return_lines(city, new_id(), paid.visit, reason="wrong patient", actor="clinic-east")
    assert (back.insured_fen, back.purse_fen, back.online_fen) == (12_600, 7_900 - 1_999, 4_500)
    with reading(city.engine) as conn:
        assert used_in(conn, find_patient(conn, card.asn).id, 2026) == Used()
        assert city.ledger.balance_fen(conn, insurer_account("medicare")) == 0
        assert city.ledger.balance_fen(conn, partner_payable("clinic-east")) == -(7_900 + 4_500)
    CardDesk(city, card.reader, actor="desk").collect(DESK)
    assert town.balance_fen(card) == 10_000 - 500
    assert visit_of(city, paid.visit).state is VisitState.RETURNED
    town.check_books()
    assert {said for _, said in city.plugins.health()} == {None}


def test_an_insurer_pays_its_month_and_the_clinic_gets_it(
    town: Town, settings: HealthSettings, paid: Paid, bank_day: Bank
) -> None:
    """The claims of a month are closed, the bank books the money, and only then the clinic is paid."""
    city = town.city
    town.pass_time(timedelta(days=30))
    month = close_month(city, settings, "medicare", "2026-03")
    assert (month.claims, month.total_fen) == (1, 12_600)
    assert close_month(city, settings, "medicare", "2026-03") == month
    with reading(city.engine) as conn:
        assert claim_file(conn, month).splitlines()[-1] == f"{month.reference},,1,2026-03,126.00"
        assert city.ledger.balance_fen(conn, insurer_account("medicare")) == 12_600
        assert city.ledger.balance_fen(conn, partner_payable("clinic-east")) == 0
    assert settle_paid(city) == []

    receive(city, bank_day(town, month.reference, 12_600))
    assert [one.state for one in settle_paid(city)] == [StatementState.SETTLED]
    assert settle_paid(city) == []
    with reading(city.engine) as conn:
        assert city.ledger.balance_fen(conn, insurer_account("medicare")) == 0

    # The clinic's next run pays it out; a visit that is given back now is a claim below zero.
    other = town.card("health-card")
    town.load(other, 1_000)
    paid.till.serve(other.reader, town.now, pay_visit(Slip(visit=new_id(), asn=other.asn, due_fen=100)))
    town.clear(paid.till)
    statement = town.statement("clinic-east")
    assert (statement.net_fen, statement.carried_fen) == (100, 12_600)
    (section,) = partner_statement(
        city, "clinic-east", Period(since=date(2026, 1, 1), until=date(2027, 1, 1))
    ).sections
    entries = [entry.amount_fen for entry in section.entries()]
    # The subsidy, the account, the first run and what it paid; the insurer's money, the second run and its.
    assert entries == [1_500, 3_000, 8_400, -12_900, 12_600, 100, -12_700]
    assert section.closing_fen == sum(entries) == 0
    return_lines(city, new_id(), paid.visit, reason="wrong patient", actor="clinic-east")
    with reading(city.engine) as conn:
        assert city.ledger.balance_fen(conn, insurer_account("medicare")) == -12_600
    town.pass_time(timedelta(days=30))
    with pytest.raises(StatementRefused, match="-12600 fen"):
        close_month(city, settings, "medicare", "2026-04")
    town.check_books()
    assert {said for _, said in city.plugins.health()} == {None}


def test_emergency_data_is_read_by_health_terminals_alone_and_never_unseen(town: Town) -> None:
    """The sealed sector opens with health's own keys, and each reading reaches the citizen."""
    city, keys = town.city, town.city.hierarchy("health")
    card, other = town.card("health-card"), town.card("health-card")
    till = town.till(town.terminal("clinic-east"))
    ambulance = EmergencyTerminal(till, keys)
    with pytest.raises(EmergencyRefused, match="none is written"):
        ambulance.read(card.reader, town.now, reason=EmergencyReason.ACCIDENT, staff="Dr Wang")

    data = EmergencyData(
        blood=BloodGroup.O_NEGATIVE, allergies="青霉素", contact="Li Lei", phone="13800001111"
    )
    ambulance.write(card.reader, town.now, data, staff="Dr Wang")
    town.pass_time(timedelta(hours=3))
    found = ambulance.read(
        card.reader, town.now, reason=EmergencyReason.UNCONSCIOUS, staff="Dr Zhou", note="North Street"
    )
    assert (found.blood, found.allergies, found.phone) == (BloodGroup.O_NEGATIVE, "青霉素", "13800001111")

    # The keys of the city open nothing of it, and what is copied to another card opens for nobody.
    with pytest.raises(KeyHierarchyMissing):
        city.hierarchy("elsewhere")
    with pytest.raises(EmergencyBroken):
        EmergencyTerminal(till, OtherKeys()).read(
            card.reader, town.now, reason=EmergencyReason.ACCIDENT, staff="Somebody"
        )
    with pytest.raises((EmergencyRefused, CardLacksSector)):
        ambulance.read(other.reader, town.now, reason=EmergencyReason.ACCIDENT, staff="Dr Wang")
    with pytest.raises(EmergencyRefused, match="reason"):
        ambulance.read(card.reader, town.now, reason=EmergencyReason.NONE, staff="Dr Wang")

    town.clear(till)
    assert take_records(city) == 2
    with reading(city.engine) as conn:
        log = readings_of(conn, find_patient(conn, card.asn).id)
    assert [(one.reader, one.reason, one.break_glass) for one in log] == [
        ("clinic-east: Dr Zhou", "unconscious: North Street", True)
    ]
    lines = [owned.record.title for owned in city.plugins.citizen_lines(card.asn)]
    assert lines == ["East Clinic: Dr Zhou read your emergency data: unconscious: North Street"]
    town.check_books()


class OtherKeys:
    """Card keys of another root."""

    def card_key(self, purpose: str, asn8: bytes) -> bytes:
        """Give a key that no card of the city was sealed with."""
        return derived_id(purpose, asn8).bytes


def subsidise(town: Town, asn: str, amount_fen: int) -> None:
    """Grant a card's holder a subsidy for clinics."""
    city, today = town.city, town.now.date()
    programme = Programme(
        id="care",
        title="Care for the needy",
        funder="Civil affairs",
        partner_kinds=("clinic",),
        starts_on=today,
        ends_on=today + timedelta(days=365),
    )
    make_programme(city, programme)
    fund_programme(city.wallet, new_id(), "care", 100_000)
    grant(city.wallet, new_id(), "care", asn, amount_fen)


def test_sports_reach_the_venues_statement(town: Town, settings: HealthSettings) -> None:
    """The social-security account pays an entrance, and the bank is told to pay it to the venue."""
    city, card = town.city, town.card("health-card")
    open_programme(city, settings, date(2026, 1, 1), date(2026, 12, 31))
    fund_programme(city.wallet, new_id(), "health-sports", 50_000)
    grant(city.wallet, new_id(), "health-sports", town.account(card), 9_000)
    pay_sport(city, settings, new_id(), card.asn, "swim-hall")
    month = Period(since=date(2026, 1, 1), until=town.now.date())
    (section,) = partner_statement(city, "swim-hall", month).sections
    assert (section.closing_fen, [entry.amount_fen for entry in section.entries()]) == (3_000, [3_000])
    pay_partner(city, new_id(), "swim-hall")
    ordered = instruct(city)
    assert ordered is not None
    assert ordered.total_fen == 3_000
    town.check_books()
