"""A gap that people gave up stays given up, whatever is judged meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from citycard.clearing.gaps import write_off_card_gaps
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.status import open_gaps
from citycard.clearing.tables import gap
from citycard.store import reading, writing

AT = datetime.fromisoformat("2018-09-01T07:00")


def test_a_gap_that_is_given_up_while_a_run_judges_what_comes_of_it_stays_closed(town):
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.tap(card, 100, AT)
    lost = [town.tap(card, 200, AT + timedelta(minutes=minute), keep=False) for minute in (1, 2, 3)]
    town.tap(card, 100, AT + timedelta(minutes=9))
    receive(town, [town.batch()])
    clear(town)
    assert [(one.first, one.last) for one in open_gaps(town)] == [(1, 3)]
    receive(town, [town.batch(records=[lost[1]])])
    given_up = []

    def judged(_done, _of):
        if not given_up:
            with writing(town.engine) as conn:
                given_up.append(
                    write_off_card_gaps(conn, [card.asn], actor="li", reason="burnt", at=town.clock.now())
                )

    report = clear(town, progress=judged)
    assert given_up == [1]
    assert [(total.code, total.records) for total in report.totals] == [("C02", 1)]
    assert open_gaps(town) == ()
    with reading(town.engine) as conn:
        kept = conn.execute(select(gap.c.from_no, gap.c.to_no, gap.c.written_off_by)).all()
    assert [tuple(row) for row in kept] == [(1, 3, "li")]
