"""What endpoints and pages show: tickets, passes, loans and refunds of a card, by the settings' names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import Connection

from citycard_tourism.settings import TourismSettings

if TYPE_CHECKING:
    from citycard_tourism.library import Loan
    from citycard_tourism.passes import Pass
    from citycard_tourism.tickets import Ticket

__all__ = [
    "LoanView",
    "PassView",
    "Rights",
    "TicketView",
    "loan_view",
    "pass_view",
    "rights_of",
    "ticket_view",
]


@attrs.frozen(kw_only=True)
class TicketView:
    """A timed ticket; ``card`` is a state in which the card has it."""

    id: UUID
    serial: int
    show: str
    starts: dt.datetime
    people: int
    state: str
    price_fen: int
    points_fen: int


@attrs.frozen(kw_only=True)
class PassView:
    """A pass or membership, and whether the card has it."""

    id: UUID
    serial: int
    plan: str
    starts_on: dt.date
    ends_on: dt.date
    state: str
    on_card: bool


@attrs.frozen(kw_only=True)
class LoanView:
    """A book that was lent; ``fee_fen`` is owed unless it is paid."""

    serial: int
    item: str
    due_on: dt.date
    returned_on: dt.date | None
    fee_fen: int
    paid: bool


@attrs.frozen(kw_only=True)
class Rights:
    """What a card has at venues, newest first; ``refunds_due_fen`` is still to come back."""

    card: str
    tickets: Sequence[TicketView]
    passes: Sequence[PassView]
    loans: Sequence[LoanView]
    refunds_due_fen: int


def ticket_view(settings: TourismSettings, ticket: Ticket) -> TicketView:
    """Show a ticket."""
    names = {show.number: show.name for show in settings.shows}
    return TicketView(
        id=ticket.id,
        serial=ticket.serial,
        show=names.get(ticket.show, str(ticket.show)),
        starts=ticket.starts,
        people=ticket.people,
        state=ticket.state,
        price_fen=ticket.price_fen,
        points_fen=ticket.points_fen,
    )


def pass_view(settings: TourismSettings, found: Pass) -> PassView:
    """Show a pass."""
    names = {plan.number: plan.name for plan in settings.plans}
    return PassView(
        id=found.id,
        serial=found.serial,
        plan=names.get(found.plan, str(found.plan)),
        starts_on=found.starts_on,
        ends_on=found.ends_on,
        state=found.state,
        on_card=found.on_card,
    )


def loan_view(loan: Loan) -> LoanView:
    """Show a loan."""
    return LoanView(
        serial=loan.serial,
        item=loan.item,
        due_on=loan.due_on,
        returned_on=loan.returned_on,
        fee_fen=loan.fee_fen,
        paid=loan.paid,
    )


def rights_of(conn: Connection, settings: TourismSettings, asn: str) -> Rights:
    """Read what a card has at venues."""
    # Imported here: endpoints are declared by what they show, without what reads it.
    from citycard_tourism.library import loans_of
    from citycard_tourism.passes import passes_of
    from citycard_tourism.takings import refunds_due
    from citycard_tourism.tickets import tickets_of

    passes = [one for one in passes_of(conn, asn) if one.state != "held"]
    return Rights(
        card=asn,
        tickets=[ticket_view(settings, one) for one in tickets_of(conn, asn)],
        passes=[pass_view(settings, one) for one in passes],
        loans=[loan_view(one) for one in loans_of(conn, asn)],
        refunds_due_fen=sum(line.amount_fen for line in refunds_due(conn, asn)),
    )
