"""What happened to a citizen in city hall, for the card's own page: applications, payments, readings."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from citycard.kernel.services import CitizenLine
from citycard.store import reading
from citycard_egov.errors import ResidentUnknown
from citycard_egov.office import Office
from citycard_egov.register import find_by_card
from citycard_egov.tables import application, plan, plan_line, reading_log

__all__ = ["citizen_lines"]

_MOST = 20
_STATES = {"open": "在办", "approved": "已批准", "refused": "未批准", "withdrawn": "已撤回"}


def citizen_lines(office: Office, asn: str) -> Iterator[CitizenLine]:
    """Give what happened to the holder of a card, newest first, at most 20; nobody's card has nothing."""
    with reading(office.engine) as conn:
        try:
            who = find_by_card(conn, asn)
        except ResidentUnknown:
            return
        filed = conn.execute(
            select(application)
            .where(application.c.resident == who, application.c.state != "paying")
            .order_by(application.c.filed_at.desc())
            .limit(_MOST)
        ).all()
        paid = conn.execute(
            select(plan_line.c.amount_fen, plan.c.title, plan.c.paid_at, plan.c.second_at)
            .join(plan, plan.c.id == plan_line.c.plan)
            .where(plan_line.c.asn == asn, plan_line.c.state == "paid")
            .order_by(plan.c.second_at.desc())
            .limit(_MOST)
        ).all()
        read = conn.execute(
            select(reading_log)
            .where(reading_log.c.resident == who, reading_log.c.department != "")
            .order_by(reading_log.c.seq.desc())
            .limit(_MOST)
        ).all()
    lines = []
    for row in filed:
        service = office.settings.service(row.service)
        title = service.title if service else row.service
        title_zh = (service.title_zh if service else "") or title
        lines.append(
            CitizenLine(
                at=row.closed_at or row.filed_at,
                title=f"Application: {title}, {row.state}",
                title_zh=f"申请：{title_zh}（{_STATES.get(row.state, row.state)}）",
                amount_fen=-row.fee_fen or None,
                path=f"/egov/my/{asn}",
            )
        )
    lines += [
        CitizenLine(
            at=row.paid_at or row.second_at,
            title=f"Subsidy: {row.title}",
            title_zh=f"补贴：{row.title}",
            amount_fen=row.amount_fen,
            path=f"/egov/my/{asn}",
        )
        for row in paid
    ]
    lines += [
        CitizenLine(
            at=row.at,
            title=f"{_named(office, row.department)} read your file: {row.why}"[:200],
            title_zh=f"{_named(office, row.department, chinese=True)}查阅了您的档案：{row.why}"[:200],
            path=f"/egov/my/{asn}#readings",
        )
        for row in read
    ]
    yield from sorted(lines, key=lambda line: line.at, reverse=True)[:_MOST]


def _named(office: Office, department: str, *, chinese: bool = False) -> str:
    found = office.settings.department(department)
    if found is None:
        return department
    return (found.title_zh if chinese else "") or found.title
