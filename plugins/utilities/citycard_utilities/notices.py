"""What a citizen sees of it: each deduction, what came back, and direct debits that failed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import Connection, Engine, select

from citycard import CitizenLine, PluginContext
from citycard.store import reading
from citycard_utilities.receipts import DONE, UNMATCHED
from citycard_utilities.settings import UtilitySettings
from citycard_utilities.tables import collection, mandate, meter_credit, receipt, returned

__all__ = ["citizen_lines", "citizen_lines_of"]

_SHOWN = 20
_PATH = "/utilities/mine"


def citizen_lines(context: PluginContext, asn: str) -> list[CitizenLine]:
    """Give the newest 20 things that happened to the holder of a card, newest first."""
    assert context.engine is not None
    return citizen_lines_of(context.engine, context.settings, asn)


def citizen_lines_of(engine: Engine, settings: UtilitySettings, asn: str) -> list[CitizenLine]:
    """Give what ``citizen_lines`` gives, to whoever has no context."""
    with reading(engine) as conn:
        lines = [
            *_paid(conn, settings, asn),
            *_back(conn, asn),
            *_failed(conn, asn),
            *_bought(conn, asn),
        ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:_SHOWN]


def _paid(conn: Connection, settings: UtilitySettings, asn: str) -> Iterator[CitizenLine]:
    names = {biller.id: (biller.name, biller.name_zh or biller.name) for biller in settings.billers}
    query = select(receipt).where(receipt.c.asn == asn, receipt.c.state.in_([DONE, UNMATCHED]))
    for row in conn.execute(query.order_by(receipt.c.at.desc()).limit(_SHOWN)):
        name, name_zh = names.get(row.biller, (row.biller, row.biller))
        debit, debit_zh = ("Direct debit: ", "代扣：") if row.channel == "mandate" else ("", "")
        told, told_zh = f"{debit}{name}, bill {row.bill}", f"{debit_zh}{name_zh}账单 {row.bill}"
        if row.reason:
            told, told_zh = f"{told} ({row.reason})", f"{told_zh}（{_ZH.get(row.reason, row.reason)}）"
        yield CitizenLine(at=row.at, title=told, title_zh=told_zh, amount_fen=-row.amount_fen, path=_PATH)


_ZH = {"paid twice": "重复缴费", "more than was owed": "多缴", "no such bill": "账单不存在，待处理"}


def _back(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    query = (
        select(returned)
        .join(receipt, receipt.c.id == returned.c.receipt)
        .where(receipt.c.asn == asn, returned.c.state == DONE)
    )
    for row in conn.execute(query.order_by(returned.c.at.desc()).limit(_SHOWN)):
        yield CitizenLine(
            at=row.at,
            title=f"Given back: bill {row.bill}",
            title_zh=f"退款：账单 {row.bill}",
            amount_fen=row.amount_fen,
            path=_PATH,
        )


def _failed(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    query = (
        select(collection)
        .join(mandate, mandate.c.id == collection.c.mandate)
        .where(mandate.c.asn == asn, collection.c.state.in_(["waits", "given-up"]), collection.c.told != "")
    )
    for row in conn.execute(query.order_by(collection.c.next_on.desc()).limit(_SHOWN)):
        again = row.state == "waits"
        yield CitizenLine(
            at=dt.datetime.combine(row.next_on, dt.time()),
            title=f"Direct debit of bill {row.bill} failed"
            + (f": again on {row.next_on}" if again else ": pay it yourself"),
            title_zh=f"账单 {row.bill} 代扣失败" + (f"，{row.next_on} 再次扣款" if again else "，请自行缴费"),
            path=_PATH,
        )


def _bought(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    query = select(meter_credit).where(meter_credit.c.asn == asn)
    for row in conn.execute(query.order_by(meter_credit.c.at.desc()).limit(_SHOWN)):
        yield CitizenLine(
            at=row.at,
            title=f"Credit for meter {row.meter}",
            title_zh=f"表 {row.meter} 预付费充值",
            amount_fen=-row.amount_fen,
            path=_PATH,
        )
