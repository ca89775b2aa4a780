"""What culture and leisure tell, once it was committed. Moments and days are ISO 8601 text."""

from __future__ import annotations

import attrs

from citycard.kernel.data import EventType

__all__ = ["EVENTS", "LoanOverdue", "PassChanged", "RefundGiven", "TicketChanged"]


@attrs.frozen(kw_only=True)
class TicketChanged:
    """A ticket was sold, moved or given back: for how many people, and for which slot."""

    asn: str
    serial: int
    show: str
    starts: str
    people: int


@attrs.frozen(kw_only=True)
class PassChanged:
    """A pass or membership was sold, extended, frozen, thawed or cancelled; its last day."""

    asn: str
    serial: int
    plan: str
    what: str
    ends_on: str


@attrs.frozen(kw_only=True)
class RefundGiven:
    """Money came back for a ticket or pass."""

    asn: str
    serial: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class LoanOverdue:
    """A book is late."""

    asn: str
    loan: int
    due_on: str


EVENTS = (
    EventType(name="tourism.ticket-sold", title="A ticket was sold", body=TicketChanged),
    EventType(name="tourism.ticket-moved", title="A ticket was moved to another slot", body=TicketChanged),
    EventType(name="tourism.ticket-returned", title="A ticket was given back", body=TicketChanged),
    EventType(name="tourism.pass-sold", title="A pass or membership was sold", body=PassChanged),
    EventType(name="tourism.pass-changed", title="A pass or membership was changed", body=PassChanged),
    EventType(name="tourism.refund-given", title="Money came back for a ticket or pass", body=RefundGiven),
    EventType(name="tourism.loan-overdue", title="A book is late", body=LoanOverdue),
)
