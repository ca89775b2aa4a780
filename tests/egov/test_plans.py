"""Payment plans: two persons, bad lines, broken-off runs, and never more than the budget."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.city.accounts import make_programme
from citycard.errors import ProgrammeUnknown
from citycard.ids import new_id
from citycard.store import reading
from citycard.testing.town import Town
from citycard.wallet import GrantLine, Programme, fund_programme, grant_lines, report_programme
from citycard_egov import plans
from citycard_egov.errors import EgovInvalid, PlanRefused, PlanUnknown
from citycard_egov.office import Office

NAMES = count(1)


def programme(office: Office, budget_fen: int) -> str:
    name = f"heating-{next(NAMES)}"
    wanted = Programme(
        id=name,
        title="Heating",
        funder="Civil Affairs",
        partner_kinds=("energy",),
        starts_on=dt.date(2026, 3, 1),
        ends_on=dt.date(2026, 4, 1),
    )
    make_programme(office.city, wanted)
    fund_programme(office.city.wallet, new_id(), name, budget_fen)
    return name


def made(office: Office, name: str, text: str, by: str = "a") -> plans.Plan:
    return plans.make_plan(
        office, name, name, text, title="Heating", department="civil-affairs", file="plan.csv", actor=by
    )


def csv(cards: list[str], fens: list[int]) -> str:
    lines = [f"{asn},{fen // 100}.{fen % 100:02d}" for asn, fen in zip(cards, fens, strict=True)]
    return "card,amount\n" + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def cards(hall: Town) -> list[str]:
    return [hall.card().asn for _ in range(6)]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fens=st.lists(st.integers(1, 1000), min_size=1, max_size=6),
    budget_fen=st.integers(1, 3000),
)
def test_what_is_paid_never_exceeds_the_budget_and_the_books_agree(
    desk: Office, cards: list[str], fens: list[int], budget_fen: int
) -> None:
    name = programme(desk, budget_fen)
    made(desk, name, csv(cards[: len(fens)], fens))
    for person in ("a", "b"):
        plans.approve(desk, name, actor=person)
    done = plans.pay_plan(desk, name, actor="a")
    with reading(desk.engine) as conn:
        report = report_programme(conn, desk.city.ledger, name)
    assert done.paid + done.bad == len(fens)
    assert done.paid_fen == report.granted_fen <= budget_fen
    assert report.difference_fen == 0
    # With more money the rest is paid, and each once.
    fund_programme(desk.city.wallet, new_id(), name, sum(fens))
    if done.bad:
        assert plans.retry_bad(desk, name) == done.bad
    done = plans.pay_plan(desk, name, actor="a")
    assert (done.paid, done.paid_fen, done.bad) == (len(fens), sum(fens), 0)


def test_one_person_is_not_enough_and_a_plan_that_began_cannot_be_given_up(
    desk: Office, cards: list[str]
) -> None:
    name = programme(desk, 10_000)
    made(desk, name, csv(cards[:2], [500, 700]))
    with pytest.raises(PlanRefused, match="two persons have to approve"):
        plans.pay_plan(desk, name, actor="a")
    assert plans.approve(desk, name, actor="a").state == "draft"
    with pytest.raises(PlanRefused, match="a second person"):
        plans.approve(desk, name, actor="a")
    assert plans.approve(desk, name, actor="b").state == "approved"
    assert plans.pay_plan(desk, name, actor="a").paid_fen == 1200
    assert plans.pay_plan(desk, name, actor="a").paid_fen == 1200
    with pytest.raises(PlanRefused, match="what is paid stays paid"):
        plans.refuse_plan(desk, name)
    with pytest.raises(PlanRefused, match="no draft any more"):
        plans.approve(desk, name, actor="c")


def test_what_was_granted_before_a_crash_was_written_down_is_not_paid_twice(
    desk: Office, cards: list[str]
) -> None:
    name = programme(desk, 10_000)
    made(desk, name, csv(cards[:2], [500, 700]))
    for person in ("a", "b"):
        plans.approve(desk, name, actor=person)
    # The process was killed between the grants and the lines of the plan.
    grant_lines(desk.city.wallet, name, name, [GrantLine(line=2, number=cards[0], amount_fen=500)])
    done = plans.pay_plan(desk, name, actor="a")
    with reading(desk.engine) as conn:
        report = report_programme(conn, desk.city.ledger, name)
    assert (done.paid_fen, report.granted_fen, done.bad) == (1200, 1200, 0)


def test_a_plan_is_one_file_and_refused_plans_stay_refused(desk: Office, cards: list[str]) -> None:
    name = programme(desk, 10_000)
    text = csv(cards[:1], [500])
    assert made(desk, name, text) == made(desk, name, text, by="another")
    with pytest.raises(PlanRefused, match="another file"):
        made(desk, name, csv(cards[:1], [600]))
    assert plans.refuse_plan(desk, name).state == "refused"
    with pytest.raises(PlanRefused, match="it is refused"):
        plans.approve(desk, name, actor="a")
    with pytest.raises(PlanUnknown):
        plans.pay_plan(desk, "no-such-plan", actor="a")
    empty = programme(desk, 1)
    made(desk, empty, "card,amount\n123,5\n")
    with pytest.raises(PlanRefused, match="no line of it can be paid"):
        plans.approve(desk, empty, actor="a")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"plan_id": "Plan 1"}, EgovInvalid),
        ({"programme": "no-such"}, ProgrammeUnknown),
        ({"title": " "}, EgovInvalid),
        ({"department": "harbour"}, EgovInvalid),
    ],
)
def test_a_plan_of_nobody_or_for_nothing_is_refused(
    desk: Office, cards: list[str], change: dict[str, str], error: type[Exception]
) -> None:
    name = programme(desk, 1)
    call = {"plan_id": name, "programme": name, "title": "Heating", "department": "police"} | change
    with pytest.raises(error):
        plans.make_plan(
            desk,
            call.pop("plan_id"),
            call.pop("programme"),
            csv(cards[:1], [5]),
            **call,
            file="plan.csv",
            actor="a",
        )


def test_a_payee_of_two_lines_under_two_names_is_paid_once(
    hall: Town, desk: Office, number: Callable[..., str]
) -> None:
    from citycard_egov import register

    card, name = hall.card(), programme(desk, 10_000)
    register.tell(desk, number(1), "police", {"name": "Li"}, day=dt.date(2026, 2, 1), actor="test")
    register.link_card(desk, number(1), card.asn, actor="clerk")
    text = f"id_number,card,amount\n{number(1)},,5\n,{card.asn},5\n"
    assert made(desk, name, text).bad == 1
    with reading(desk.engine) as conn:
        (bad,) = plans.lines_of(conn, name, state="bad")
    assert (bad.line, bad.reason) == (3, "its payee stands in line 2 already")
