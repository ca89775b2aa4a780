"""Visits: split once, charged once, whatever breaks off or comes twice, and never more than there is."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from citycard.city import charging
from citycard.city.accounts import payee
from citycard.city.charging import charge
from citycard.errors import CitycardError, ServiceOff
from citycard.ids import derived_id, new_id
from citycard.store import reading, writing
from citycard.wallet import Accounts, ActKind, LimitRule, Payments, online_account, partner_payable
from citycard_health import visits
from citycard_health.addresses import insurer_account
from citycard_health.counter import take_records
from citycard_health.errors import AlreadyDone, NotFound, VisitRefused
from citycard_health.opening import settings_of
from citycard_health.patients import find_patient, import_insured, open_sealed
from citycard_health.services import VISIT
from citycard_health.split import Used
from citycard_health.tables import line
from citycard_health.tills import Slip, pay_visit
from citycard_health.used import used_in
from citycard_health.visits import VisitItem, VisitState, charge_visit, visit_of, visits_of

BLOOD, SCAN, VITAMIN = VisitItem(code="blood"), VisitItem(code="scan"), VisitItem(code="vitamin")


def used(town, card):
    with reading(town.city.engine) as conn:
        return used_in(conn, find_patient(conn, card.asn).id, town.now.year)


def test_without_insurance_and_account_the_purse_pays_all(town, settings):
    """A city card of another product does as well."""
    card = town.card()
    visit = charge_visit(town.city, settings, new_id(), card.asn, "clinic-east", [BLOOD, VITAMIN])
    assert (visit.price_fen, visit.insured_fen, visit.online_fen, visit.purse_fen) == (4_999, 0, 0, 4_999)
    assert visit.state is VisitState.DUE


def test_insurance_that_ended_pays_nothing(town, settings, insure):
    """The last day is included."""
    card = town.card("health-card")
    insure(card, until="2026-03-02")
    assert charge_visit(town.city, settings, new_id(), card.asn, "clinic-east", [SCAN]).insured_fen > 0
    town.pass_time(timedelta(days=1))
    assert charge_visit(town.city, settings, new_id(), card.asn, "clinic-east", [SCAN]).insured_fen == 0


def test_deductible_and_ceiling_run_through_the_year_and_begin_anew(town, settings, insure):
    """Insurance stops at 400 yuan, and in January the deductible is due again."""
    card = town.card("health-card")
    insure(card, until="2027-12-31")
    paid = [
        charge_visit(town.city, settings, new_id(), card.asn, "clinic-east", [SCAN]).insured_fen
        for _ in range(5)
    ]
    assert paid == [15_001 * 70 // 100, 14_000, 14_000, 40_000 - 38_500, 0]
    assert used(town, card) == Used(deductible_fen=5_000, insured_fen=40_000)
    town.pass_time(timedelta(days=365))
    again = charge_visit(town.city, settings, new_id(), card.asn, "clinic-east", [SCAN])
    assert (again.year, again.insured_fen) == (2027, 10_500)


def test_visits_at_once_share_one_deductible_and_one_ceiling(town_of):
    """Ten visits at the same time, one of them sent twice, cost insurance what ten after one another do."""
    city, settings, card = town_of.city, settings_of(town_of.city), town_of.card("health-card")
    data = f"card,plan,until\n{card.asn},employee,2026-12-31\n".encode()
    import_insured(city, settings, data, file="insured.csv")
    ids = [new_id() for _ in range(10)]
    threads = [
        threading.Thread(
            target=charge_visit, args=(city, settings, identity, card.asn, "clinic-east", [SCAN])
        )
        for identity in [*ids, ids[0]]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used(town_of, card) == Used(deductible_fen=5_000, insured_fen=40_000)
    with reading(city.engine) as conn:
        assert [len(visits_of(conn)), sum(one.insured_fen for one in visits_of(conn))] == [10, 40_000]
        assert city.ledger.balance_fen(conn, insurer_account("medicare")) == 40_000


def test_own_money_online_is_left_alone_where_the_patient_says_so(town, settings):
    """``use_account`` false: the purse pays."""
    card = town.card()
    town.account(card, 10_000)
    visit = charge_visit(town.city, settings, new_id(), card.asn, "clinic-east", [BLOOD], use_account=False)
    assert (visit.account_fen, visit.purse_fen) == (0, 3_000)


@pytest.mark.parametrize("stop", ["freeze", "limit"])
def test_an_account_that_may_not_pay_leaves_it_to_the_purse(town, settings, stop):
    """Frozen, or beyond its owner's limit."""
    card = town.card()
    number = town.account(card, 10_000)
    accounts = Accounts(town.city.wallet)
    if stop == "freeze":
        accounts.freeze(new_id(), number)
    else:
        accounts.limit(new_id(), number, ActKind.PAY, LimitRule(day_fen=100))
    visit = charge_visit(town.city, settings, new_id(), card.asn, "clinic-east", [BLOOD])
    assert (visit.online_fen, visit.purse_fen, visit.state) == (0, 3_000, VisitState.DUE)


def test_a_visit_that_broke_off_goes_on_where_it_stopped(town, settings, insure, monkeypatch):
    """After insurance and before the account: the same call again, or the job, finishes it once."""
    city, card, identity = town.city, town.card("health-card"), new_id()
    insure(card)
    town.account(card, 2_000)

    def cut(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr("citycard.city.charging.charge", cut)
        with pytest.raises(KeyboardInterrupt):
            charge_visit(city, settings, identity, card.asn, "clinic-east", [SCAN])
    assert visit_of(city, identity).state is VisitState.CHARGING
    city.plugins.run_job("health.finish")
    done = visit_of(city, identity)
    assert (done.state, done.insured_fen, done.account_fen) == (VisitState.DUE, 10_500, 2_000)
    assert charge_visit(city, settings, identity, card.asn, "clinic-east", [SCAN]) == done
    with reading(city.engine) as conn:
        assert city.ledger.balance_fen(conn, partner_payable("clinic-east")) == 2_000


def test_a_visit_that_broke_off_after_the_account_paid_is_not_charged_again(town, settings, monkeypatch):
    """What was paid online is found again by the visit's own id."""
    city, card, identity = town.city, town.card(), new_id()
    town.account(card, 2_000)

    def cut(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr("citycard_health.visits.tell", cut)
        with pytest.raises(KeyboardInterrupt):
            charge_visit(city, settings, identity, card.asn, "clinic-east", [BLOOD])
    town.account(card, 5_000)
    done = charge_visit(city, settings, identity, card.asn, "clinic-east", [BLOOD])
    assert (done.account_fen, done.purse_fen) == (2_000, 1_000)


def test_what_cannot_be_charged_is_refused_and_leaves_nothing(town, settings, insure):
    """Unknown items and clinics, none, too many, an id used otherwise, a card that nobody has."""
    city, card, identity = town.city, town.card("health-card"), new_id()
    insure(card)
    for clinic, items, said in (
        ("clinic-east", [VisitItem(code="gold")], "not in the city's list"),
        ("clinic-east", [], "1 to 100 items"),
        ("clinic-east", [VisitItem(code="blood", number=101)], "1 to 100 items"),
        ("medicare", [BLOOD], "no clinic"),
    ):
        with pytest.raises(VisitRefused, match=said):
            charge_visit(city, settings, identity, card.asn, clinic, items)
    with pytest.raises(CitycardError):
        charge_visit(city, settings, identity, "0" * 20, "clinic-east", [BLOOD])
    with pytest.raises(NotFound):
        visit_of(city, identity)
    charge_visit(city, settings, identity, card.asn, "clinic-east", [BLOOD])
    with pytest.raises(AlreadyDone):
        charge_visit(city, settings, identity, card.asn, "clinic-east", [SCAN])


def test_a_clinic_that_has_health_switched_off_charges_nothing(town, settings):
    """Nor does its till."""
    town.city.plugins.disable("health", by="town", partner="clinic-west")
    card = town.card()
    with pytest.raises(ServiceOff):
        charge_visit(town.city, settings, new_id(), card.asn, "clinic-west", [BLOOD])
    till = town.till(town.terminal("clinic-west"))
    with pytest.raises(ServiceOff):
        till.serve(card.reader, town.now, pay_visit(Slip(visit=new_id(), asn=card.asn, due_fen=100)))


def test_what_a_visit_was_for_stands_sealed_in_the_table(town, settings):
    """The rows say amounts; what they are for opens with health's keys, for this patient alone."""
    card, identity = town.card(), new_id()
    charge_visit(town.city, settings, identity, card.asn, "clinic-east", [SCAN])
    with reading(town.city.engine) as conn:
        owner = find_patient(conn, card.asn).id
        row = conn.execute(line.select()).one()
    assert b"scan" not in row.sealed
    assert open_sealed(town.city, owner, f"line {identity} 1", row.sealed)["code"] == "scan"
    with pytest.raises(CitycardError, match="belongs to another"):
        open_sealed(town.city, new_id(), f"line {identity} 1", row.sealed)


def test_the_wrong_card_pays_nothing_and_a_tap_twice_comes_back(town, settings):
    """A till checks the slip's card; what a purse paid twice is owed to it."""
    city, card, other = town.city, town.card(), town.card()
    town.load(card, 9_000)
    visit = charge_visit(city, settings, new_id(), card.asn, "clinic-east", [BLOOD])
    till = town.till(town.terminal("clinic-east"))
    slip = Slip(visit=visit.id, asn=card.asn, due_fen=visit.left_fen)
    with pytest.raises(CitycardError, match="the visit is of card"):
        till.serve(other.reader, town.now, pay_visit(slip))
    with pytest.raises(CitycardError, match="nothing is left"):
        till.serve(card.reader, town.now, pay_visit(Slip(visit=visit.id, asn=card.asn, due_fen=0)))
    for _ in range(2):
        till.serve(card.reader, town.now, pay_visit(slip))
        town.pass_time(timedelta(minutes=5))
    town.clear(till)
    take_records(city)
    found = visit_of(city, visit.id)
    assert (found.purse_paid_fen, found.purse_returned_fen, found.left_fen) == (6_000, 3_000, 0)
    assert found.state is VisitState.PAID
    with writing(city.engine) as conn:
        assert city.ledger.balance_fen(conn, f"card/{card.asn}/refund") == 3_000
    town.check_books()


@pytest.mark.parametrize("moment", ["_at_hand", "_charged"])
def test_two_requests_that_finish_one_visit_find_what_either_charged(town, settings, monkeypatch, moment):
    """The second reads an account that the first has emptied for this visit: nothing more is due twice."""
    city, card, identity = town.city, town.card(), new_id()
    town.account(card, 3_000)
    real, first = getattr(visits, moment), []

    def overtaken(*args):
        if not first:
            first.append(True)
            charge(
                city,
                derived_id("health visit", identity, "all"),
                card.asn,
                service=VISIT,
                partner="clinic-east",
                list_price_fen=3_000,
                note=f"visit {identity}",
                actor="health",
            )
        return real(*args) if moment == "_at_hand" else None

    monkeypatch.setattr(visits, moment, overtaken)
    done = charge_visit(city, settings, identity, card.asn, "clinic-east", [BLOOD])
    assert (done.account_fen, done.purse_fen, done.left_fen) == (3_000, 0, 0)
    assert (done.state, done.payment) == (VisitState.PAID, derived_id("health visit", identity, "all"))


def test_a_request_that_stalled_until_the_purse_had_to_pay_takes_nothing_online(town, settings, monkeypatch):
    """The account was empty when the job finished the visit, and has money again when it wakes up."""
    city, card, identity = town.city, town.card(), new_id()
    number, real = town.account(card, 3_000), charging.price

    def stalled(*args, **more):
        quote = real(*args, **more)
        if more.get("service") == VISIT and "list_price_fen" in more and visit_there(city, identity):
            monkeypatch.setattr(charging, "price", real)
            other = Payments(city.wallet).pay(new_id(), number, payee(city, "clinic-west"), 3_000)
            city.plugins.run_job("health.finish")
            assert visit_of(city, identity).state is VisitState.DUE
            Payments(city.wallet).give_back(new_id(), other.id, 3_000)
        return quote

    monkeypatch.setattr(charging, "price", stalled)
    done = charge_visit(city, settings, identity, card.asn, "clinic-east", [BLOOD])
    assert (done.account_fen, done.purse_fen, done.payment) == (0, 3_000, None)
    with reading(city.engine) as conn:
        assert city.ledger.balance_fen(conn, online_account(number)) == 3_000


def visit_there(city, identity):
    try:
        return visit_of(city, identity).state is VisitState.CHARGING
    except NotFound:
        return False


def test_a_visit_that_cannot_be_finished_yet_keeps_no_other_from_it(town, settings, monkeypatch):
    """Health is switched off at one clinic: its visit waits, the other's is finished."""
    city, card, waits, other = town.city, town.card(), new_id(), new_id()
    town.account(card, 6_000)

    def cut(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr("citycard.city.charging.charge", cut)
        for identity, clinic in ((waits, "clinic-west"), (other, "clinic-east")):
            with pytest.raises(KeyboardInterrupt):
                charge_visit(city, settings, identity, card.asn, clinic, [BLOOD])
    city.plugins.disable("health", by="town", partner="clinic-west")
    city.plugins.run_job("health.finish")
    assert (visit_of(city, waits).state, visit_of(city, other).state) == (
        VisitState.CHARGING,
        VisitState.PAID,
    )
    city.plugins.enable("health", by="town", partner="clinic-west")
    city.plugins.run_job("health.finish")
    assert visit_of(city, waits).account_fen == 3_000


def test_a_charge_that_was_refused_for_another_sum_leaves_the_visit_to_the_purse(town, settings, monkeypatch):
    """It broke off after the refusal; now that the account holds more, the same id would ask for more."""
    city, card, identity = town.city, town.card(), new_id()
    number = town.account(card, 1_000)
    accounts = Accounts(city.wallet)
    accounts.freeze(new_id(), number)

    def cut(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr(visits, "tell", cut)
        with pytest.raises(KeyboardInterrupt):
            charge_visit(city, settings, identity, card.asn, "clinic-east", [BLOOD])
    accounts.unfreeze(new_id(), number)
    town.account(card, 1_000)
    assert charge_visit(city, settings, identity, card.asn, "clinic-east", [BLOOD]).purse_fen == 3_000
