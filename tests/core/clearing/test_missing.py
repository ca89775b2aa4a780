"""What is missing is kept as batches come, so that nobody has to look at all that ever came."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from random import Random

import pytest
from sqlalchemy import event, text

from citycard.clearing.converting import convert
from citycard.clearing.intake import receive
from citycard.clearing.missing import counted_on, missing_batches
from citycard.clearing.senders import open_sender
from citycard.keys.protocol import draw_signer, public_pem
from citycard.store import migrate, reading
from citycard.store.schema import CORE

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, BUS = "344000000001", "344000000003"
KEY = draw_signer()


@pytest.mark.parametrize("seed", range(20))
def test_numbers_in_any_order_leave_the_holes_that_nobody_filled(seed):
    dice = Random(seed)
    came = [dice.randint(1, 60) for _ in range(80)]
    last, holes = 0, []
    while came:
        portion = [came.pop() for _ in range(min(len(came), dice.randint(1, 9)))]
        last, holes = counted_on(last, holes, portion)
    there = Random(seed)
    there = {there.randint(1, 60) for _ in range(80)}
    assert last == max(there)
    assert {one for first, end in holes for one in range(first, end + 1)} == {*range(1, last + 1)} - there
    assert all(end + 1 < first for (_, end), (first, _) in pairwise(holes))


def batches(town, count, terminal=GATE):
    (card,) = town.issue(len(town.cards) + 1)
    town.load(card, 10_000)
    files = []
    for _ in range(count):
        town.tap(card, 100, AT, terminal)
        files.append(town.batch(terminal))
    return files


def handed_in(town):
    """Hand in some of what there must be, some of it announced by a manifest."""
    open_sender(town, "office", "metro", public_pem(KEY).encode())
    gate, bus = batches(town, 6), batches(town, 2, BUS)
    sent = [
        convert(gate[at : at + 1], kind="csv", sender="office", number=number, file="a.csv", key_pem=KEY)
        for at, number in ((3, 2), (4, 5))
    ]
    lines = [
        {"terminal": BUS, "number": number, "sha256": "0" * 64, "records": 1, "amount_fen": 100}
        for number in (1, 2, 3)
    ]
    receive(town, [bus[0]])
    receive(town, [gate[5], gate[1], *sent], {"collector": "depot", "number": 1, "batches": lines})
    return [gate[0], gate[2]]


def test_history_that_older_tables_hold_is_counted_once_and_gone_on_with(town):
    rest = handed_in(town)
    with reading(town.engine) as conn:
        before = missing_batches(conn)
    assert [(one.terminal or one.sender, one.number) for one in before] == [
        ("office", 1),
        ("office", 3),
        ("office", 4),
        (GATE, 1),
        (GATE, 3),
        (BUS, 2),
        (BUS, 3),
    ]
    scripts = migrate.scripts_of(CORE)
    with migrate._locked(town.engine) as conn:
        migrate._run(conn, CORE, scripts, lambda at: scripts._downgrade_revs("citycard_0019", at))
    migrate.upgrade(town.engine)
    with reading(town.engine) as conn:
        assert missing_batches(conn) == before
    assert [one.terminal for one in receive(town, rest).missing] == ["", "", "", BUS, BUS]


def test_receiving_reads_no_table_of_all_batches_from_end_to_end(town):
    said = []
    event.listen(town.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    for file in handed_in(town):
        receive(town, [file])
    plans = []
    with reading(town.engine) as conn:
        for statement, values in said:
            if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
                found = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans += [(row.detail, statement) for row in found]
        assert conn.scalar(text("SELECT count(*) FROM batch_file")) == 7
    for table in ("batch_file", "clearing_sent_file", "manifest_line"):
        assert [plan for plan in plans if plan[0].startswith(f"SCAN {table}")] == []
