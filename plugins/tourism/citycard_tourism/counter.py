"""A counter: its tickets (``ticketcounter``), and the passes and memberships that it sells and changes.

Each act has the id that its client made. After a torn tap the same call is made again.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from citycard.card.codec import evolve
from citycard.city.charging import price
from citycard.city.till import Sale, Visit
from citycard.errors import Phrase
from citycard.store import reading
from citycard_tourism.carrying import carry_over
from citycard_tourism.errors import PassRefused, RightMissing, WrittenBefore
from citycard_tourism.passes import (
    Pass,
    abandon_pass_step,
    begin_pass_step,
    end_cancel,
    end_extend,
    end_freeze,
    end_pass_sale,
    end_thaw,
    find_pass,
    hold_pass,
    note_on_card,
    passes_of,
    thawed_until,
)
from citycard_tourism.sectors import BRANCHES, MEMBERSHIP, PASS, PassFacts, PassRecord, RightKind, Step
from citycard_tourism.services import PASS_SALE
from citycard_tourism.settings import Plan
from citycard_tourism.ticketcounter import TicketCounter

if TYPE_CHECKING:
    from citycard.terminal import Reader

__all__ = ["Counter"]


class Counter(TicketCounter):
    """A counter or kiosk of a venue."""

    def collect(self, reader: Reader) -> list[int]:
        """Put onto the card what was bought online, or what the card had that it replaces.

        Return the serial numbers of what it got: tickets, then passes.
        """
        asn = self.asn_of(reader)
        carry_over(self.office, asn)
        with reading(self.office.engine) as conn:
            live = [one for one in passes_of(conn, asn) if one.state in {"active", "frozen"}]
        passes = [one for one in live if not one.on_card]
        for one in reversed(passes):
            self._collect_pass(reader, one)
        return self.collect_tickets(reader, asn) + [one.serial for one in reversed(passes)]

    def sell_pass(self, act: UUID, reader: Reader, plan: Plan) -> Pass:
        """Sell a pass for what is on the purse, and write it onto the card; once for each act."""
        office, asn = self.office, self.asn_of(reader)
        held = hold_pass(office, act, asn, plan, seller=self.venue.number)
        if held.state != "held":
            return held
        price_fen = self._price_fen(held, plan, turn=0)

        def decide(visit: Visit) -> Sale:
            sector = self._free_for(visit, held, plan)
            facts = PassFacts(plan=plan.number, serial=held.serial, rights=held.rights, seller=held.seller)
            return Sale(
                service=PASS_SALE,
                amount_fen=visit.price(PASS_SALE, facts).amount_fen,
                facts=facts,
                writes={sector: self._new_pass(visit, sector, held)},
            )

        served = self.serve(reader, asn, decide, fresh=False, undo=lambda: None)
        amount_fen = served.receipt.amount_fen if served.receipt else price_fen
        return end_pass_sale(office, held, plan, way="purse", amount_fen=amount_fen, partner=self.venue.id)

    def extend_pass(self, act: UUID, reader: Reader, identity: UUID) -> Pass:
        """Extend a pass for what is on the purse; a membership's is shared by the visits on the card."""
        office = self.office
        found, fresh = self._begin(act, identity, "extend", ("active",))
        if not found.step:
            return found
        plan = office.settings.plan(found.plan)
        price_fen = self._price_fen(found, plan, turn=found.turn + 1)

        def decide(visit: Visit) -> Sale:
            sector, record = self._carried_pass(visit, found, plan)
            if record.turn > found.turn:
                raise WrittenBefore(asn=visit.asn)
            facts = PassFacts(
                plan=plan.number,
                serial=found.serial,
                turn=found.turn + 1,
                rights=found.rights,
                seller=self.venue.number,
                visits=record.visits,
            )
            longer = evolve(
                record,
                ends=found.ends_on + dt.timedelta(days=plan.extend_days),
                turn=found.turn + 1,
                visits=bytes(BRANCHES),
            )
            return Sale(
                service=PASS_SALE,
                amount_fen=visit.price(PASS_SALE, facts).amount_fen,
                facts=facts,
                writes={sector: office.seals.stamp(sector, visit, longer)},
            )

        served = self.serve(
            reader, found.asn, decide, fresh=fresh, undo=lambda: abandon_pass_step(office, found)
        )
        amount_fen = served.receipt.amount_fen if served.receipt else price_fen
        return end_extend(office, found, amount_fen, self.venue.id)

    def freeze_pass(self, act: UUID, reader: Reader, identity: UUID) -> Pass:
        """Freeze a pass: no gate lets it in until it is thawed, and its days wait."""
        found = self._change(act, reader, identity, "freeze", ("active",), frozen=True)
        return end_freeze(self.office, found) if found.step else found

    def thaw_pass(self, act: UUID, reader: Reader, identity: UUID) -> Pass:
        """Use a pass again; it ends as many days later as it was frozen, if the plan allows that many."""
        found = self._change(act, reader, identity, "thaw", ("frozen",), frozen=False)
        return end_thaw(self.office, found) if found.step else found

    def cancel_pass(self, act: UUID, reader: Reader, identity: UUID) -> Pass:
        """Take a pass off the card, and give back what the plan's rule says."""
        office = self.office
        found, fresh = self._begin(act, identity, "cancel", ("active", "frozen"))
        if not found.step:
            return found
        plan = office.settings.plan(found.plan)
        uses = 0

        def decide(visit: Visit) -> Sale:
            nonlocal uses
            sector, record = self._carried_pass(visit, found, plan, gone=True)
            uses = record.uses
            if not record.plan:
                raise WrittenBefore(asn=visit.asn)
            blank = office.seals.stamp(sector, visit, PassRecord(serial=found.serial, uses=uses))
            return self.written(_kind(plan), plan.number, found.serial, {sector: blank}, step=Step.TAKE_OFF)

        self.serve(reader, found.asn, decide, fresh=fresh, undo=lambda: abandon_pass_step(office, found))
        return end_cancel(office, found, uses=uses)

    def _change(
        self, act: UUID, reader: Reader, identity: UUID, step: str, states: tuple[str, ...], *, frozen: bool
    ) -> Pass:
        office = self.office
        found, fresh = self._begin(act, identity, step, states)
        if not found.step:
            return found
        plan = office.settings.plan(found.plan)
        ends = found.ends_on if frozen else thawed_until(found, plan, self.now.date())[0]

        def decide(visit: Visit) -> Sale:
            sector, record = self._carried_pass(visit, found, plan)
            if record.frozen is frozen:
                raise WrittenBefore(asn=visit.asn)
            changed = office.seals.stamp(sector, visit, evolve(record, frozen=frozen, ends=ends))
            return self.written(_kind(plan), plan.number, found.serial, {sector: changed})

        self.serve(reader, found.asn, decide, fresh=fresh, undo=lambda: abandon_pass_step(office, found))
        return found

    def _collect_pass(self, reader: Reader, found: Pass) -> None:
        office, plan = self.office, self.office.settings.plan(found.plan)

        def decide(visit: Visit) -> Sale:
            sector = self._free_for(visit, found, plan)
            writes = {sector: self._new_pass(visit, sector, found)}
            return self.written(_kind(plan), plan.number, found.serial, writes)

        self.serve(reader, found.asn, decide, fresh=False, undo=lambda: None)
        note_on_card(office, found)

    def _begin(self, act: UUID, identity: UUID, step: str, states: tuple[str, ...]) -> tuple[Pass, bool]:
        with reading(self.office.engine) as conn:
            before = find_pass(conn, identity)
        if not before.on_card:
            raise PassRefused(serial=before.serial, reason="it is not on the card: collect it first")
        return begin_pass_step(self.office, act, identity, step, states), before.step_id != act

    def _price_fen(self, found: Pass, plan: Plan, *, turn: int) -> int:
        quote = price(
            self.office.city,
            found.asn,
            service=PASS_SALE,
            partner=self.venue.id,
            facts={"plan": plan.name, "turn": turn},
            entitlements=self.office.settings.entitlements(found.rights),
        )
        return quote.amount_fen

    def _new_pass(self, visit: Visit, sector: str, found: Pass) -> PassRecord:
        record = PassRecord(
            plan=found.plan,
            serial=found.serial,
            starts=found.starts_on,
            ends=found.ends_on,
            frozen=found.state == "frozen",
            turn=found.turn,
        )
        return self.office.seals.stamp(sector, visit, record)

    def _free_for(self, visit: Visit, found: Pass, plan: Plan) -> str:
        """Say where a pass goes; WrittenBefore when it is there, PassRefused when another one in force is."""
        sector = _sector(plan)
        record: PassRecord = visit.read(sector)
        if record.plan and record.serial == found.serial:
            self.office.seals.check(sector, visit, record)
            raise WrittenBefore(asn=visit.asn)
        if record.plan and record.ends is not None and record.ends >= self.now.date():
            reason = Phrase(
                "the card carries pass {serial} until {ends}", serial=record.serial, ends=record.ends
            )
            raise PassRefused(serial=found.serial, reason=reason)
        return sector

    def _carried_pass(
        self, visit: Visit, found: Pass, plan: Plan, *, gone: bool = False
    ) -> tuple[str, PassRecord]:
        sector = _sector(plan)
        record: PassRecord = visit.read(sector)
        if record.serial != found.serial or not (record.plan or gone):
            raise RightMissing(asn=visit.asn, venue=Phrase("pass {serial}", serial=found.serial))
        return sector, self.office.seals.check(sector, visit, record)


def _sector(plan: Plan) -> str:
    return MEMBERSHIP if plan.kind == "membership" else PASS


def _kind(plan: Plan) -> RightKind:
    return RightKind.MEMBERSHIP if plan.kind == "membership" else RightKind.PASS
