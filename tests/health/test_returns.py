"""Giving back: each payer gets its own part, in whatever order and however often it is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from citycard.errors import AccountMissing
from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet import online_account, partner_payable
from citycard_health.addresses import CLAIMS, insurer_account
from citycard_health.counter import take_records
from citycard_health.errors import AlreadyDone, NotFound, VisitRefused
from citycard_health.patients import find_patient
from citycard_health.returns import return_lines
from citycard_health.split import Used
from citycard_health.tills import Slip, pay_visit
from citycard_health.used import used_in
from citycard_health.visits import VisitItem, VisitState, charge_visit, visit_of

CODES = ("blood", "scan", "vitamin")


def balance(town, address):
    with reading(town.city.engine) as conn:
        try:
            return town.city.ledger.balance_fen(conn, address)
        except AccountMissing:
            return 0


def test_before_the_purse_paid_it_has_less_to_pay(town, settings):
    """Nothing moves: the part that is due is less."""
    card, identity = town.card(), new_id()
    charge_visit(town.city, settings, identity, card.asn, "clinic-east", [VisitItem(code="blood", number=2)])
    back = return_lines(town.city, new_id(), identity, [1], reason="not done", actor="x")
    assert (back.amount_fen, back.purse_fen) == (3_000, 3_000)
    assert (visit_of(town.city, identity).left_fen, visit_of(town.city, identity).state) == (
        3_000,
        VisitState.DUE,
    )


def test_a_record_that_comes_after_the_return_is_owed_to_the_card(town, settings):
    """The purse paid at noon, the clinic gave back in the afternoon, the record came at night."""
    card, identity = town.card(), new_id()
    town.load(card, 5_000)
    visit = charge_visit(town.city, settings, identity, card.asn, "clinic-east", [VisitItem(code="blood")])
    till = town.till(town.terminal("clinic-east"))
    till.serve(card.reader, town.now, pay_visit(Slip(visit=identity, asn=card.asn, due_fen=visit.left_fen)))
    return_lines(town.city, new_id(), identity, reason="not done", actor="x")
    assert visit_of(town.city, identity).state is VisitState.RETURNED
    town.clear(till)
    take_records(town.city)
    assert balance(town, f"card/{card.asn}/refund") == 3_000
    assert take_records(town.city) == 0
    town.check_books()


def test_one_id_gives_back_once(town, settings):
    """Again it is the same; another line under the same id, or a line that came back, is refused."""
    card, identity, mine = town.card(), new_id(), new_id()
    items = [VisitItem(code="blood"), VisitItem(code="vitamin")]
    charge_visit(town.city, settings, identity, card.asn, "clinic-east", items)
    first = return_lines(town.city, mine, identity, [2], reason="not taken", actor="x")
    assert return_lines(town.city, mine, identity, [2], reason="not taken", actor="x") == first
    with pytest.raises(AlreadyDone):
        return_lines(town.city, mine, identity, [1], reason="not taken", actor="x")
    for places in ([2], [3], [0], [1, 2]):
        with pytest.raises(VisitRefused):
            return_lines(town.city, new_id(), identity, places, reason="again", actor="x")
    with pytest.raises(VisitRefused, match="reason"):
        return_lines(town.city, new_id(), identity, reason=" ", actor="x")
    with pytest.raises(NotFound):
        return_lines(town.city, new_id(), new_id(), reason="x", actor="x")
    return_lines(town.city, new_id(), identity, reason="rest", actor="x")
    with pytest.raises(VisitRefused, match="all of it"):
        return_lines(town.city, new_id(), identity, reason="rest", actor="x")


def test_a_return_that_broke_off_is_finished_by_the_job(town, settings, monkeypatch):
    """Insurance and counters first; the account gets its part when the job comes."""
    city, card, identity = town.city, town.card(), new_id()
    number = town.account(card, 3_000)
    charge_visit(city, settings, identity, card.asn, "clinic-east", [VisitItem(code="blood")])

    def cut(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr("citycard.city.charging.give_back", cut)
        with pytest.raises(KeyboardInterrupt):
            return_lines(city, new_id(), identity, reason="x", actor="x")
    assert balance(town, online_account(number)) == 0
    city.plugins.run_job("health.finish")
    assert balance(town, online_account(number)) == 3_000
    assert balance(town, partner_payable("clinic-east")) == 0


@examples(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_visits_given_back_in_any_order_leave_nothing(town, settings, insure, data):
    """After any visits, and any returns of lines until all are back, every account is as it was."""
    city, card = town.city, town.card("health-card")
    insure(card)
    number = town.account(card, data.draw(st.integers(0, 60_000), label="account"))
    town.pass_time(timedelta(minutes=1))
    before = balance(town, online_account(number))
    owed, waits = balance(town, insurer_account("medicare")), balance(town, CLAIMS)
    payable = balance(town, partner_payable("clinic-east"))
    left = []
    for _ in range(data.draw(st.integers(1, 3), label="visits")):
        codes = data.draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=4), label="items")
        identity = new_id()
        visit = charge_visit(
            city, settings, identity, card.asn, "clinic-east", [VisitItem(code=code) for code in codes]
        )
        parts = (visit.insured_fen, visit.subsidy_fen, visit.account_fen, visit.purse_fen)
        assert sum(parts) == visit.price_fen
        left += [(identity, place) for place in range(1, len(codes) + 1)]
    for identity, place in data.draw(st.permutations(left), label="order"):
        back = return_lines(city, new_id(), identity, [place], reason="x", actor="x")
        assert back.insured_fen + back.purse_fen + back.online_fen == back.amount_fen
    with reading(city.engine) as conn:
        assert used_in(conn, find_patient(conn, card.asn).id, town.now.year) == Used()
    assert balance(town, online_account(number)) == before
    assert (balance(town, insurer_account("medicare")), balance(town, CLAIMS)) == (owed, waits)
    assert balance(town, partner_payable("clinic-east")) == payable
