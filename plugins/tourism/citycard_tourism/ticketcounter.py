"""A counter sells timed tickets for the purse, writes them onto cards, moves them and takes them off.

Each act has the id that its client made. After a torn tap the same call is made again.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from citycard.card.codec import evolve
from citycard.city.till import Sale, Visit
from citycard.errors import Phrase
from citycard.store import reading, writing
from citycard_tourism.changes import abandon_step, begin_move, begin_return, end_move, end_return
from citycard_tourism.desk import Desk
from citycard_tourism.errors import CardFullOfTickets, RightMissing, TicketRefused, WrittenBefore
from citycard_tourism.sectors import TICKETS, RightKind, Step, TicketFacts, TicketRecord, TicketState
from citycard_tourism.services import TICKET_SALE
from citycard_tourism.settings import Show
from citycard_tourism.takings import Paid, payment_id
from citycard_tourism.tickets import (
    Ticket,
    end_sale,
    find_ticket,
    hold,
    release,
    tickets_of,
    update_ticket,
)

if TYPE_CHECKING:
    from citycard.terminal import Reader

__all__ = ["TicketCounter"]


class TicketCounter(Desk):
    """The tickets of a counter."""

    def sell_ticket(
        self, act: UUID, reader: Reader, show: Show, starts: dt.datetime, people: int = 1
    ) -> Ticket:
        """Sell a ticket for what is on the purse, and write it onto the card; once for each act.

        Raise SlotUnknown, SlotFull, CardFullOfTickets, CardRefused; CardRemoved keeps the places for a second
        try.
        """
        office, asn = self.office, self.asn_of(reader)
        held = hold(office, act, asn, show, starts, people, way="purse")
        if held.state != "held":
            return held
        fresh = not held.step
        if not self._begin_write(held, "held"):
            raise TicketRefused(serial=held.serial, reason="it was given up meanwhile: buy under a new id")

        def decide(visit: Visit) -> Sale:
            sector = self._place_for(visit, held)
            facts = TicketFacts(
                show=show.number, serial=held.serial, starts=starts, people=people, rights=held.rights
            )
            return Sale(
                service=TICKET_SALE,
                amount_fen=visit.price(TICKET_SALE, facts).amount_fen,
                facts=facts,
                writes={sector: self._ticket(visit, sector, held)},
            )

        served = self.serve(reader, asn, decide, fresh=fresh, undo=lambda: release(office, act))
        paid = Paid(
            id=payment_id(act),
            asn=asn,
            service=TICKET_SALE,
            serial=held.serial,
            turn=0,
            days=0,
            way="purse",
            amount_fen=served.receipt.amount_fen if served.receipt else held.price_fen,
            partner=show.venue,
            onward={},
            at=self.now,
        )
        return end_sale(office, held, "card", paid)

    def collect_tickets(self, reader: Reader, asn: str) -> list[int]:
        """Put tickets onto the card that were bought online, and return their serial numbers."""
        with reading(self.office.engine) as conn:
            waiting = tickets_of(conn, asn, states=("paid",))
        return [one.serial for one in reversed(waiting) if self._collect(reader, one)]

    def return_ticket(self, act: UUID, reader: Reader, identity: UUID) -> Ticket:
        """Take a ticket that was not used off the card, and give back what the show's rule says."""
        office = self.office
        with reading(office.engine) as conn:
            before = find_ticket(conn, identity)
        found = begin_return(office, act, identity, state="card")
        if not found.step:
            return found

        def decide(visit: Visit) -> Sale:
            sector, _ = self._carried(visit, found)
            blank = TicketRecord(serial=found.serial)
            writes = {sector: office.seals.stamp(sector, visit, blank)}
            return self.written(RightKind.TICKET, found.show, found.serial, writes, step=Step.TAKE_OFF)

        fresh = before.step_id != act
        self.serve(reader, found.asn, decide, fresh=fresh, undo=lambda: abandon_step(office, found))
        return end_return(office, found)

    def move_ticket(self, act: UUID, reader: Reader, identity: UUID, starts: dt.datetime) -> Ticket:
        """Move a ticket that was not used to another slot of its show, on the card and in the tables."""
        office = self.office
        with reading(office.engine) as conn:
            before = find_ticket(conn, identity)
        found = begin_move(office, act, identity, starts, state="card")
        if not found.step:
            return found

        def decide(visit: Visit) -> Sale:
            sector, record = self._carried(visit, found)
            if record.starts == found.step_to:
                raise WrittenBefore(asn=visit.asn)
            moved = office.seals.stamp(sector, visit, evolve(record, starts=found.step_to))
            return self.written(RightKind.TICKET, found.show, found.serial, {sector: moved})

        fresh = before.step_id != act
        self.serve(reader, found.asn, decide, fresh=fresh, undo=lambda: abandon_step(office, found))
        return end_move(office, found)

    def _collect(self, reader: Reader, ticket: Ticket) -> bool:
        office, fresh = self.office, not ticket.step
        if not self._begin_write(ticket, "paid"):
            return False

        def decide(visit: Visit) -> Sale:
            sector = self._place_for(visit, ticket)
            writes = {sector: self._ticket(visit, sector, ticket)}
            return self.written(RightKind.TICKET, ticket.show, ticket.serial, writes)

        self.serve(reader, ticket.asn, decide, fresh=fresh, undo=lambda: abandon_step(office, ticket))
        end_sale(office, ticket, "card", None)
        return True

    def _begin_write(self, ticket: Ticket, state: str) -> bool:
        """Note that a card is to be written, unless the ticket was changed by somebody else meanwhile."""
        with writing(self.office.engine) as conn:
            now = find_ticket(conn, ticket.id, lock=True)
            if now.state != state or now.step not in {"", "write"} or now.starts != ticket.starts:
                return False
            update_ticket(conn, now.serial, step="write")
            return True

    def _ticket(self, visit: Visit, sector: str, ticket: Ticket) -> TicketRecord:
        record = TicketRecord(
            show=ticket.show,
            serial=ticket.serial,
            starts=ticket.starts,
            minutes=self.office.settings.show(ticket.show).minutes,
            people=ticket.people,
            state=TicketState.VALID,
        )
        return self.office.seals.stamp(sector, visit, record)

    def _place_for(self, visit: Visit, ticket: Ticket) -> str:
        """Say where the ticket goes; WrittenBefore when it is there."""
        empty = []
        for sector in TICKETS:
            record: TicketRecord = visit.read(sector)
            if record.serial == ticket.serial:
                self.office.seals.check(sector, visit, record)
                raise WrittenBefore(asn=visit.asn)
            over = record.starts and record.starts + dt.timedelta(minutes=record.minutes) <= self.now
            if record.state is not TicketState.VALID or over:
                empty.append(sector)
        if not empty:
            raise CardFullOfTickets(asn=visit.asn)
        return empty[0]

    def _carried(self, visit: Visit, ticket: Ticket) -> tuple[str, TicketRecord]:
        """Find a ticket on the card that was not used; WrittenBefore when it was taken off."""
        for sector in TICKETS:
            record: TicketRecord = visit.read(sector)
            if record.serial != ticket.serial:
                continue
            self.office.seals.check(sector, visit, record)
            if record.state is TicketState.NONE:
                raise WrittenBefore(asn=visit.asn)
            if record.state is TicketState.USED:
                raise TicketRefused(serial=ticket.serial, reason=Phrase("it was used at {at}", at=record.at))
            return sector, record
        raise RightMissing(asn=visit.asn, venue=Phrase("ticket {serial}", serial=ticket.serial))
