import datetime as dt
import sys

import pytest

from citycard.city.till import Sale
from citycard.clearing.accepted import accepted_records, closed_runs, decided_records
from citycard.clearing.casecodes import Bearer, Ruling
from citycard.clearing.deciding import Decision, decide
from citycard.clearing.records import select_cleared
from citycard.ids import new_id
from citycard.store import reading

STALL = 811


@pytest.fixture
def town(market_town):
    made = market_town()
    made.partner("melons")
    made.partner("plums")
    return made


def buy(town, till, card, pieces, *, fen=None):
    facts = sys.modules["citycard_market.plugin"].Stall(pieces=pieces)

    def sale(visit):
        price = visit.price("stall", facts).amount_fen
        return Sale(service="stall", amount_fen=price if fen is None else fen, facts=facts)

    at = town.pass_time(dt.timedelta(minutes=5))
    till.serve(card.reader, at, sale)
    return at


def read(town, run, services=(STALL,), records=accepted_records):
    with reading(town.city.engine) as conn:
        return list(records(town.city, conn, run, services))


def test_a_run_gives_what_it_accepted_of_a_service_with_its_facts(town):
    stall = sys.modules["citycard_market.plugin"].Stall
    tills = {name: town.till(town.terminal(name)) for name in ("melons", "plums")}
    first, second = town.card(), town.card()
    town.load(first, 5000)
    town.load(second, 5000)
    expected = {
        (first.asn, buy(town, tills["melons"], first, 2), "melons", 600, 2),
        (second.asn, buy(town, tills["plums"], second, 1), "plums", 300, 1),
        (first.asn, buy(town, tills["plums"], first, 3), "plums", 900, 3),
    }
    run = town.clear(*tills.values()).number
    found = read(town, run)
    seen = {(one.asn, one.at, one.partner, one.amount_fen, one.read(stall).pieces) for one in found}
    assert seen == expected
    assert [(one.asn, one.at) for one in found] == sorted((one.asn, one.at) for one in found)
    assert {(one.service, one.kind) for one in found} == {(STALL, 3)}
    assert len({one.id for one in found}) == 3
    assert read(town, run, (STALL + 1,)) == []
    assert read(town, run + 1) == []
    with reading(town.city.engine) as conn:
        assert (closed_runs(conn), closed_runs(conn, run)) == ([run], [])


def test_a_record_that_people_accept_comes_with_the_run_that_pays_it(town):
    till, card = town.till(town.terminal("melons")), town.card()
    town.load(card, 20_000)
    buy(town, till, card, 2, fen=10_601)
    first = town.clear(till)
    assert [total.code for total in first.totals] == ["P03"]
    assert read(town, first.number) == []
    with reading(town.city.engine) as conn:
        (held,) = select_cleared(town.city, conn, ("service = $service",), {"service": STALL})
    paid = Decision(
        how=Ruling.ACCEPTED, bearer=Bearer.CARD, reason="the price was on a sign", evidence="photo 1"
    )
    for actor in ("clerk", "head of clerks"):
        decide(town.city, held.id, paid, actor=actor, step=new_id())
    buy(town, till, card, 1)
    second = town.clear(till)
    (decided,) = read(town, second.number, records=decided_records)
    assert (decided.id, decided.asn, decided.partner) == (held.id, card.asn, "melons")
    assert decided.amount_fen == 10_601
    assert [one.amount_fen for one in read(town, second.number)] == [300]
