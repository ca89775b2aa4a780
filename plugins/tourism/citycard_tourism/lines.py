"""What a card's page shows of culture and leisure: tickets, passes, refunds, visits and loans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import Connection, and_, select

from citycard.kernel.services import CitizenLine
from citycard.store import reading
from citycard_tourism.library import loans_of
from citycard_tourism.office import Office
from citycard_tourism.passes import passes_of
from citycard_tourism.sectors import Step
from citycard_tourism.services import PASS_SALE
from citycard_tourism.settings import TourismSettings
from citycard_tourism.tables import pass_, payment, refund, ticket, visit
from citycard_tourism.tickets import tickets_of

__all__ = ["citizen_lines"]

_MOST = 20
_PATH = "/tourism/mine"


def citizen_lines(office: Office, asn: str) -> list[CitizenLine]:
    """Give at most twenty lines about a card, newest first."""
    with reading(office.engine) as conn:
        found = [
            *_tickets(conn, office.settings, asn),
            *_passes(conn, office.settings, asn),
            *_refunds(conn, office.settings, asn),
            *_visits(conn, office.settings, asn),
            *_loans(conn, asn),
        ]
    return sorted(found, key=lambda line: line.at, reverse=True)[:_MOST]


def _tickets(conn: Connection, settings: TourismSettings, asn: str) -> Iterator[CitizenLine]:
    for one in tickets_of(conn, asn, states=("paid", "card", "used", "returned"), limit=_MOST):
        title, title_zh = _ticket_titles(settings, one.show, one.starts)
        yield CitizenLine(
            at=one.made_at,
            title=title,
            title_zh=title_zh,
            amount_fen=-one.price_fen,
            path=_PATH,
        )


def _passes(conn: Connection, settings: TourismSettings, asn: str) -> Iterator[CitizenLine]:
    passes = {one.serial: one for one in passes_of(conn, asn, limit=_MOST)}
    query = select(payment).where(payment.c.asn == asn, payment.c.service == PASS_SALE)
    for row in conn.execute(query.order_by(payment.c.at.desc()).limit(_MOST)):
        title, title_zh = _plan_titles(settings, passes[row.serial].plan if row.serial in passes else None)
        yield CitizenLine(
            at=row.at,
            title=f"{title} extended" if row.turn else title,
            title_zh=f"{title_zh}续期" if row.turn else title_zh,
            amount_fen=-row.amount_fen,
            path=_PATH,
        )


def _refunds(conn: Connection, settings: TourismSettings, asn: str) -> Iterator[CitizenLine]:
    is_pass = payment.c.service == PASS_SALE
    of_pass = and_(is_pass, pass_.c.serial == payment.c.serial)
    of_ticket = and_(~is_pass, ticket.c.serial == payment.c.serial)
    # What was sold may be erased when the money came back, and the refund tells less then.
    sold = refund.outerjoin(payment, payment.c.id == refund.c.payment)
    columns = (refund.c.given_at, refund.c.amount_fen, payment.c.service, pass_.c.plan)
    query = select(*columns, ticket.c.show, ticket.c.starts)
    query = query.select_from(sold.outerjoin(pass_, of_pass).outerjoin(ticket, of_ticket))
    query = query.where(refund.c.asn == asn, refund.c.state == "given")
    for row in conn.execute(query.order_by(refund.c.given_at.desc()).limit(_MOST)):
        if row.service == PASS_SALE:
            title, title_zh = _plan_titles(settings, row.plan)
        elif row.service is not None:
            title, title_zh = _ticket_titles(settings, row.show, row.starts)
        else:
            title, title_zh = "a ticket or pass", "门票或年票"
        yield CitizenLine(
            at=row.given_at,
            title=f"Given back: {title}",
            title_zh=f"退款：{title_zh}",
            amount_fen=row.amount_fen,
            path=_PATH,
        )


def _visits(conn: Connection, settings: TourismSettings, asn: str) -> Iterator[CitizenLine]:
    venues = {venue.number: venue for venue in settings.venues}
    query = select(visit).where(visit.c.asn == asn, visit.c.step == int(Step.ENTER))
    for row in conn.execute(query.order_by(visit.c.at.desc()).limit(_MOST)):
        venue = venues.get(row.venue)
        name, name_zh = (venue.name, venue.name_zh) if venue else (f"venue {row.venue}", "")
        yield CitizenLine(at=row.at, title=f"You visited {name}", title_zh=f"您参观了{name_zh or name}")


def _loans(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    for one in loans_of(conn, asn, limit=_MOST):
        at = dt.datetime.combine(one.lent_on, dt.time())
        yield CitizenLine(
            at=at,
            title=f"A book was lent until {one.due_on}" if one.out else "A book was returned",
            title_zh=f"借书，应于{one.due_on}归还" if one.out else "图书已归还",
            amount_fen=-one.fee_fen if one.fee_fen and one.paid else None,
            path=_PATH,
        )


def _ticket_titles(
    settings: TourismSettings, number: int | None, starts: dt.datetime | None
) -> tuple[str, str]:
    """Name a ticket in English and Chinese; without its slot when its row is erased."""
    if number is None or starts is None:
        return "Ticket", "门票"
    show = next((show for show in settings.shows if show.number == number), None)
    title, title_zh = (show.title, show.title_zh) if show else (f"show {number}", "")
    when = f"{starts:%Y-%m-%d %H:%M}"
    return f"Ticket for {title}, {when}", f"{title_zh or title}门票，{when}"


def _plan_titles(settings: TourismSettings, number: int | None) -> tuple[str, str]:
    plan = next((plan for plan in settings.plans if plan.number == number), None)
    return (plan.title, plan.title_zh or plan.title) if plan else ("Pass", "年票")
