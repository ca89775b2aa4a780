"""What holds on both databases, however many ask at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from citycard.city.accounts import make_programme
from citycard.errors import CitycardError
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.testing.town import Town
from citycard.wallet import Programme, fund_programme, report_programme
from citycard_egov import chain, plans, register, windows
from citycard_egov.filing import file_application
from citycard_egov.identity import activate, answer, draw
from citycard_egov.identitycard import prove
from citycard_egov.office import Office
from citycard_egov.tables import exchange_log

AT_ONCE = 6
DAY = dt.date(2026, 2, 1)


@pytest.fixture
def both(tmp_path: Path, store_url: str, settings: dict[str, Any]) -> Iterator[Town]:
    store = f'[store]\nurl = "{store_url}"\n'
    town = Town.make(tmp_path, domains=["egov"], settings={"egov": settings}, more=store)
    yield town
    town.close()


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Do something several times at the same time; a refusal is its answer."""

    def one(place: int) -> Any:
        try:
            return work(place)
        except CitycardError as refused:
            return type(refused).__name__

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_at_once_a_person_is_one_and_a_challenge_a_ticket_and_a_fee_are_once(
    both: Town, number: Callable[..., str]
) -> None:
    town, office, who = both, Office.of(both.city), number(1)
    card = town.card()

    def tell(place: int) -> list[register.Telling]:
        source = ("police", "civil-affairs")[place % 2]
        return register.tell(office, who, source, {"name": f"{place % 2}"}, day=DAY, actor="t")

    at_once(tell)
    with reading(office.engine) as conn:
        resident = register.find_by_number(conn, office, who)
        assert len(register.open_conflicts(conn)) == 1

    activate(office, card.reader, who, "123456", "246810", actor="clerk")
    asked = draw(office, card.asn, asked_by="me")
    response = prove(card.reader, town.city.issuing.profile, "246810", bytes.fromhex(asked.challenge))
    came = at_once(lambda _: answer(office, asked.id, response, asked_by="me"))
    assert sorted(type(one).__name__ for one in came).count("Proof") == 1

    tickets = at_once(lambda place: windows.take_ticket(office, new_id(), "hall", f"{place:020d}"))
    assert sorted(one.number for one in tickets) == list(range(1, AT_ONCE + 1))
    called = at_once(lambda _: windows.call_next(office, "hall", actor="clerk"))
    assert sorted(one.number for one in called) == list(range(1, AT_ONCE + 1))

    town.account(card, 5000)
    once, form = new_id(), {"reason": "school"}
    filed = at_once(
        lambda _: file_application(
            office, once, resident, card.asn, "residence-certificate", form, actor="me"
        )
    )
    assert {(one.id, one.fee_fen, str(one.state)) for one in filed} == {(once, 1000, "open")}
    town.clear()
    assert town.statement("civil-affairs").carried_fen == 1000
    town.check_books()


def test_at_once_a_plan_is_approved_by_two_and_paid_once_and_a_log_stays_whole(both: Town) -> None:
    town, office = both, Office.of(both.city)
    cards = [town.card().asn for _ in range(5)]
    heating = Programme(
        id="heating",
        title="Heating",
        funder="Police",
        partner_kinds=("energy",),
        starts_on=DAY,
        ends_on=dt.date(2026, 12, 31),
    )
    make_programme(town.city, heating)
    fund_programme(town.city.wallet, new_id(), "heating", 5000)
    csv = "card,amount\n" + "".join(f"{asn},10\n" for asn in cards)
    plans.make_plan(
        office, "p", "heating", csv, title="Heating", department="police", file="p.csv", actor="a"
    )
    approved = at_once(lambda place: plans.approve(office, "p", actor="ab"[place % 2]))
    assert "PlanRefused" in approved
    paid = at_once(lambda _: plans.pay_plan(office, "p", actor="a"))
    with reading(office.engine) as conn:
        done = plans.find_plan(conn, "p")
        report = report_programme(conn, town.city.ledger, "heating")
    assert (done.state, done.paid_fen, done.bad) == ("paid", 5000, 0), paid
    assert (report.granted_fen, report.difference_fen) == (5000, 0)

    def log(place: int) -> chain.Head:
        with writing(office.engine) as conn:
            return chain.append(conn, exchange_log, {"event": "asked", "place": place, "name": "王"})

    heads = at_once(log)
    assert sorted(head.seq for head in heads) == list(range(1, AT_ONCE + 1))
    with reading(office.engine) as conn:
        assert chain.broken(conn, exchange_log) is None
        assert all(chain.broken(conn, exchange_log, seen=head) is None for head in heads)
    town.check_books()
