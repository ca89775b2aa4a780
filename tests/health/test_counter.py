"""What people accept after a run is matched to its visit as well, and what is too much comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from citycard.clearing.casecodes import Bearer, Party, Ruling, Verdict
from citycard.clearing.deciding import Decision, decide
from citycard.clearing.disputes import Claim, open_dispute
from citycard.clearing.records import select_cleared
from citycard.clearing.upholding import Judgement, decide_dispute
from citycard.ids import new_id
from citycard.store import reading
from citycard.testing.town import Town, TownCard
from citycard_health.counter import take_records
from citycard_health.returns import return_lines
from citycard_health.services import NUMBERS, VISIT
from citycard_health.settings import HealthSettings
from citycard_health.tills import Slip, pay_visit
from citycard_health.visits import VisitItem, VisitState, charge_visit, visit_of

Accept = Callable[..., str]


@pytest.fixture
def visited(town: Town, settings: HealthSettings) -> tuple[TownCard, UUID]:
    """Charge a visit of 3000 fen that a purse has to pay."""
    card, identity = town.card(), new_id()
    town.load(card, 5_000)
    charge_visit(town.city, settings, identity, card.asn, "clinic-east", [VisitItem(code="blood")])
    return card, identity


@pytest.fixture
def accept(town: Town, visited: tuple[TownCard, UUID]) -> Accept:
    """Let the purse pay at a till that lay in a cupboard for too long, and people accept its record."""

    def accepted(bearer: Bearer = Bearer.CARD) -> str:
        card, visit = visited
        till = town.till(town.terminal("clinic-east"))
        till.serve(card.reader, town.now, pay_visit(Slip(visit=visit, asn=card.asn, due_fen=3_000)))
        town.pass_time(timedelta(days=70))
        town.clear(till)
        assert take_records(town.city) == 0
        assert visit_of(town.city, visit).purse_paid_fen == 0
        with reading(town.city.engine) as conn:
            (held,) = select_cleared(town.city, conn, ("service = $service",), {"service": NUMBERS[VISIT]})
        wish = Decision(how=Ruling.ACCEPTED, bearer=bearer, reason="it was in order", evidence="the till")
        decide(town.city, held.id, wish, actor="clerk", step=new_id())
        town.pass_time(timedelta(days=1))
        town.clear()
        return held.id

    return accepted


def test_a_record_that_people_accept_pays_its_visit(
    town: Town, visited: tuple[TownCard, UUID], accept: Accept
) -> None:
    """It comes with the run that pays the clinic, once."""
    _, visit = visited
    accept()
    assert (take_records(town.city), take_records(town.city)) == (1, 0)
    found = visit_of(town.city, visit)
    assert (found.purse_paid_fen, found.left_fen, found.state) == (3_000, 0, VisitState.PAID)
    assert [said for _, said in town.city.plugins.health()] == [None] * 4
    town.check_books()


def test_what_it_paid_too_much_waits_for_the_holders_dispute(
    town: Town, visited: tuple[TownCard, UUID], accept: Accept
) -> None:
    """A refund of such a record is no business of a clinic; the operator is told which one it is."""
    city, (card, visit) = town.city, visited
    record = accept()
    return_lines(city, new_id(), visit, reason="not done", actor="x")
    assert take_records(city) == 1
    city.plugins.run_job("health.finish")
    told = [said for _, said in city.plugins.health() if said]
    assert told == [f"the purse is owed money of visit {visit}: let the holder dispute record {record}"]

    claim = Claim(party=Party.HOLDER, about=record, amount_fen=3_000, reason="it was given back")
    dispute = open_dispute(city, new_id(), claim, actor="clerk")
    judgement = Judgement(outcome=Verdict.UPHELD, bearer=Bearer.PARTNERS, reason="the clinic says so")
    decide_dispute(city, dispute.id, judgement, actor="clerk", step=new_id())
    town.clear()
    city.plugins.run_job("health.finish")
    assert [said for _, said in city.plugins.health()] == [None] * 4
    with reading(city.engine) as conn:
        assert city.ledger.balance_fen(conn, f"card/{card.asn}/refund") == 3_000
    town.check_books()


def test_what_the_city_bore_is_not_owed_to_the_card(
    town: Town, visited: tuple[TownCard, UUID], accept: Accept
) -> None:
    """The purse did not pay such a record by the books: nothing waits."""
    accept(Bearer.ISSUER)
    return_lines(town.city, new_id(), visited[1], reason="not done", actor="x")
    assert take_records(town.city) == 1
    assert [said for _, said in town.city.plugins.health()] == [None] * 4
