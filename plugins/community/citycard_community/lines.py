"""What a holder reads on the card's page of what happened in the community."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import select

from citycard.kernel.services import CitizenLine
from citycard.store import reading
from citycard_community.running import settings_of
from citycard_community.settings import CommunitySettings
from citycard_community.spaces import stays_of_card
from citycard_community.tables import bill, payment, right, visit

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.kernel.identity import PluginContext

__all__ = ["lines"]

_MOST = 20
_PATH = "/community/mine"
_KINDS = {
    1: ("You own a home in {name}", "您在{name}有住房"),
    2: ("You rent a home in {name}", "您在{name}租房"),
    3: ("You are a visitor in {name}", "您是{name}的访客"),
    4: ("You work in {name}", "您在{name}工作"),
    5: ("You have a parking pass in {name}", "您在{name}有停车月卡"),
}


def lines(context: PluginContext, asn: str) -> Iterator[CitizenLine]:
    """Give what happened to a card's holder, the newest first, at most twenty."""
    if context.engine is None:
        return
    settings = settings_of(context.city)
    with reading(context.engine) as conn:
        found = [*_paid(conn, asn), *_parked(conn, asn), *_invited(conn, asn), *_rights(conn, settings, asn)]
    yield from sorted(found, key=lambda one: one.at, reverse=True)[:_MOST]


def _paid(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    query = (
        select(payment.c.at, payment.c.amount_fen, bill.c.month)
        .join(bill, bill.c.id == payment.c.bill)
        .where(payment.c.asn == asn, payment.c.state == "done")
        .order_by(payment.c.at.desc())
        .limit(_MOST)
    )
    for row in conn.execute(query):
        month = f"{row.month:%Y-%m}"
        yield CitizenLine(
            at=row.at,
            title=f"Property fee of {month}",
            title_zh=f"{month} 物业费",
            amount_fen=-row.amount_fen,
            path=_PATH,
        )


def _parked(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    for stay in stays_of_card(conn, asn, _MOST):
        if stay.left_at is None:
            yield CitizenLine(
                at=stay.entered_at,
                title=f"Parked on space {stay.space}",
                title_zh=f"停在 {stay.space} 号车位",
                path=_PATH,
            )
        else:
            yield CitizenLine(
                at=stay.left_at,
                title=f"Left space {stay.space}",
                title_zh=f"驶离 {stay.space} 号车位",
                amount_fen=-stay.amount_fen if stay.amount_fen else None,
                path=_PATH,
            )


def _invited(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    query = select(visit.c.day).where(visit.c.host == asn).order_by(visit.c.day.desc()).limit(_MOST)
    for day in conn.scalars(query):
        yield CitizenLine(
            at=dt.datetime.combine(day, dt.time()),
            title="A visitor of yours",
            title_zh="您的访客",
            path=_PATH,
        )


def _rights(conn: Connection, settings: CommunitySettings, asn: str) -> Iterator[CitizenLine]:
    query = select(right).where(right.c.asn == asn).order_by(right.c.id.desc()).limit(_MOST)
    for row in conn.execute(query):
        community = settings.community(row.community)
        title, title_zh = _KINDS[row.kind]
        yield CitizenLine(
            at=dt.datetime.combine(row.starts_on, dt.time()),
            title=title.format(name=community.name),
            title_zh=title_zh.format(name=community.name_zh or community.name),
            path=_PATH,
        )
